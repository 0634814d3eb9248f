// Tests one after another, each with a time limit, and a last line "N passed, M failed".

const tests = [];
let only = null;

/// Registers a test. `body` gets a function that registers what is to be done afterwards, whatever happens.
export function test(name, body, { seconds = 30 } = {}) {
  tests.push({ name, body, seconds });
}

/// Names of tests that this run is about: those that contain the text.
export function onlyTests(text) {
  only = text;
}

export async function runTests() {
  let passed = 0, failed = 0;
  for (const { name, body, seconds } of tests) {
    if (only && !name.includes(only)) continue;
    const afterwards = [];
    const start = process.hrtime.bigint();
    let problem = null;
    try {
      await within(seconds, Promise.resolve(body((undo) => afterwards.push(undo))), name);
    } catch (error) {
      problem = error;
    }
    for (const undo of afterwards.reverse()) {
      try {
        await within(10, Promise.resolve(undo()), 'the end of it');
      } catch (error) {
        problem ??= error;
      }
    }
    const time = `${Number((process.hrtime.bigint() - start) / 1000000n)} ms`;
    if (problem === null) {
      passed += 1;
      console.log(`ok      ${name} (${time})`);
    } else {
      failed += 1;
      console.log(`FAILED  ${name} (${time})\n${problem.stack ?? problem}`);
    }
  }
  return { passed, failed };
}

/// The promise, or an error after that many seconds.
export function within(seconds, promise, what = 'this') {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/// Asks again and again until the answer is truthy, and gives it. `what` is a text, or a function that gives one in the end.
export async function until(condition, what, seconds = 10) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`${typeof what === 'function' ? what() : what}: not within ${seconds} s`);
    await pause(20);
  }
}

/// What a promise is rejected with; an error when it is not.
export async function rejection(promise, what) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`${what}: was accepted`);
}
