// The program of examples/device against the hub: what is typed, what is printed, and that both copies are equal after the
// connection was cut at random, and after power losses.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { startChild } from './support/children.mjs';
import { pause, test, until } from './support/harness.mjs';
import { properties } from './support/hub.mjs';
import { CuttingProxy } from './support/proxy.mjs';

export const programDevices = ['typist', 'clockwork', 'unlucky', 'powerless', 'keeper', 'stranger'];

/// RFC 7396, as its section 2 has it.
function mergePatch(target, patch) {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const result = target !== null && typeof target === 'object' && !Array.isArray(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}

/// A document with what a printed line says: POINTER: OLD -> NEW, where nothing stands for a property that is not there.
/// The old value must be the one that is there.
function applyPrinted(document, line) {
  const colon = line.indexOf(': ');
  const steps = line.slice(1, colon).split('/').map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = steps.pop();
  const place = steps.reduce((value, step) => value[step], document);
  const arrow = line.indexOf(' -> ', colon + 1);
  const [old, fresh] = [line.slice(colon + 2, arrow), line.slice(arrow + 4)];
  assert.deepEqual(place[last], old === '' ? undefined : JSON.parse(old), line);  // members in any order
  if (fresh === '') delete place[last];
  else place[last] = JSON.parse(fresh);
}

class Program {
  constructor(hub, device, { port = hub.port, options = [] } = {}) {
    this.command = [path.join(hub.build, 'twin_device'), '--ca', path.join(hub.dir, 'ca.pem'), ...options];
    this.connectionString = hub.connectionString(device, undefined, port);
    this.start();
  }
  start() {
    this.printed = [];
    this.answers = [];
    this.log = '';
    this.process = startChild(this.command[0], this.command.slice(1),
      { stdio: 'pipe', env: { ...process.env, DEVICETWIN_CONNECTION_STRING: this.connectionString } });
    this.process.stdin.on('error', () => {});
    this.ended = once(this.process, 'exit');
    let rest = '';
    this.process.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) (/^(desired|reported) -?\d+ /.test(line) ? this.answers : this.printed).push(line);
    });
    this.process.stderr.setEncoding('utf8').on('data', (text) => { this.log += text; });
  }
  type(line) {
    this.process.stdin.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
  }
  /// The twin as the program has it.
  async twin() {
    const before = this.answers.length;
    this.type('?');
    await until(() => {
      if (this.process.exitCode !== null) throw new Error(`the program has ended:\n${this.log}`);
      return this.answers.length === before + 2;
    }, 'the answer to ?', 5);
    const part = (line) => {
      const [, version, text] = line.match(/^\w+ (-?\d+) (.*)$/);
      return { version: Number(version), value: JSON.parse(text) };
    };
    return { desired: part(this.answers[before]), reported: part(this.answers[before + 1]) };
  }
  async stop(signal = 'SIGTERM') {
    this.process.kill(signal);
    await this.ended;
  }
}

/// The twin, once the hub and the program have the same one.
async function equalTwins(hub, device, program, seconds = 20) {
  let difference = '';
  return until(async () => {
    const [there, here] = [(await hub.twin(device)).properties, await program.twin()];
    try {
      for (const section of ['desired', 'reported']) {
        assert.deepEqual(here[section].value, properties(there[section]));
        assert.equal(here[section].version, there[section].$version);
      }
      return here;
    } catch (error) {
      difference = error.message;
      return null;
    }
  }, () => `equal twins (${difference})\n${program.log}\n`, seconds);
}

/// Numbers from 0 to 1 that are the same each time (mulberry32).
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function randomPatch(random, { nulls = true, depth = 0 } = {}) {
  const patch = {};
  for (let members = 1 + Math.floor(random() * 3); members > 0; --members) {
    const kind = random();
    let value;
    if (nulls && kind < 0.25) value = null;
    else if (kind < 0.5 && depth < 3) value = randomPatch(random, { nulls, depth: depth + 1 });
    else if (kind < 0.6) value = [...Array(Math.floor(random() * 3)).keys()];
    else value = [Math.floor(random() * 10), 'text', true, 1.5, 'ü/~"\\'][Math.floor(random() * 5)];
    patch[['a', 'b', 'c/d', 'e~f', 'g'][Math.floor(random() * 5)]] = value;
  }
  return patch;
}

export function programTests(hub, cuts) {
  test('the device program prints what changes and reports what is typed', async (afterwards) => {
    const program = new Program(hub, 'typist');
    afterwards(() => program.stop());
    await until(() => program.log.includes('in step'), 'the first twin');
    assert.deepEqual(program.printed, []);
    program.type({ rpm: 900, 'strange/name': [1, { x: null ?? 2 }] });
    await until(async () => (await hub.twin('typist')).properties.reported.rpm === 900, 'the report');
    await hub.desire('typist', { climate: { day: 21 }, vent: 'auto' });
    await until(() => program.printed.length === 2, 'two lines');
    await hub.desire('typist', { climate: { day: 22 }, vent: null });
    await until(() => program.printed.length === 4, 'two more');
    assert.deepEqual(program.printed, ['/climate:  -> {"day":21}', '/vent:  -> "auto"', '/climate/day: 21 -> 22', '/vent: "auto" -> ']);
    program.type('{"$version":1}');
    program.type('{"a":');
    program.type('[1]');
    await until(() => program.log.includes('/$version') && program.log.split('\n').length > 4, 'complaints');
    program.type({ rpm: null });
    await equalTwins(hub, 'typist', program);
    assert.equal((await hub.twin('typist')).properties.reported.rpm, undefined);
  });

  test('the device program renews its token before it expires', async (afterwards) => {
    const program = new Program(hub, 'clockwork', { options: ['--token-lifetime', '3'] });
    afterwards(() => program.stop());
    await until(() => program.log.split('a new token').length > 2, 'two new tokens', 8);
    program.type({ still: 'here' });
    await equalTwins(hub, 'clockwork', program);
    assert.ok(!program.log.includes('no connection'), program.log);
  });

  test(`both copies are equal after ${cuts} cuts of the connection`, async (afterwards) => {
    const random = randomFrom(cuts);
    const proxy = await CuttingProxy.create(hub.port, random);
    afterwards(() => proxy.close());
    const program = new Program(hub, 'unlucky', { port: proxy.port,
      options: ['--retry-first', '5', '--retry-longest', '50', '--time-out', '300', '--state', path.join(hub.dir, `unlucky-${cuts}.state`)] });
    afterwards(() => program.stop());
    await until(() => program.log.includes('in step'), 'the first twin');
    let wanted = (await program.twin()).reported.value;  // what the device has said in all
    const desired = (await program.twin()).desired.value;
    program.printed.length = 0;
    proxy.cutting = true;
    for (const socket of proxy.sockets) socket.destroy();
    const end = Date.now() + 20000 + cuts * 600;
    while (proxy.cuts < cuts) {
      assert.ok(Date.now() < end, `only ${proxy.cuts} cuts`);
      if (random() < 0.6) {
        const patch = randomPatch(random);
        wanted = mergePatch(wanted, patch);
        program.type(patch);
      }
      if (random() < 0.5) {
        const put = random() < 0.2;
        const patch = { properties: { desired: randomPatch(random, { nulls: !put }) } };
        const answer = await hub.request(put ? 'PUT' : 'PATCH', '/twins/unlucky?api-version=2021-04-12', patch);
        assert.equal(answer.status, 200, JSON.stringify(answer));
      }
      await pause(random() * 40);
    }
    proxy.cutting = false;
    const twin = await equalTwins(hub, 'unlucky', program, 30);
    assert.deepEqual(twin.reported.value, wanted);
    // Line by line, what was printed leads from the first twin to the last.
    for (const line of program.printed) applyPrinted(desired, line);
    assert.deepEqual(desired, twin.desired.value);
  }, { seconds: 60 + cuts });

  test('what was reported outlives power losses of the device and the hub', async (afterwards) => {
    const state = ['--state', path.join(hub.dir, 'powerless.state'), '--retry-first', '20'];
    const program = new Program(hub, 'powerless', { options: state });
    afterwards(() => program.stop());
    await until(() => program.log.includes('in step'), 'the first twin');
    await hub.stop('SIGKILL');
    for (let round = 1; round <= 3; ++round) {
      program.type({ [`round-${round}`]: { said: true }, last: round });
      assert.equal((await program.twin()).reported.value.last, round);  // taken, and so in the file
      await program.stop('SIGKILL');
      program.start();
    }
    program.type({ 'round-2': null });
    await program.twin();
    await hub.start();
    await hub.desire('powerless', { news: 'since then' });
    const twin = await equalTwins(hub, 'powerless', program, 20);
    assert.deepEqual(twin.reported.value, { 'round-1': { said: true }, 'round-3': { said: true }, last: 3 });
    // After a restart only what is new is told.
    await program.stop('SIGKILL');
    await hub.desire('powerless', { news: 'once more', other: 1 });
    program.start();
    await until(() => program.printed.length === 2, 'two lines');
    assert.deepEqual(program.printed, ['/news: "since then" -> "once more"', '/other:  -> 1']);
  }, { seconds: 60 });

  test('the device program keeps a state that it cannot use', async (afterwards) => {
    const file = path.join(hub.dir, 'keeper.state');
    const state = ['--state', file, '--retry-first', '20'];
    const running = [];
    const start = (device) => {
      running.push(new Program(hub, device, { options: state }));
      return running.at(-1);
    };
    afterwards(() => Promise.all(running.map((program) => program.stop('SIGKILL'))));
    const first = start('keeper');
    await until(() => first.log.includes('in step'), 'the first twin');
    await hub.stop('SIGKILL');
    first.type({ pending: 'report' });
    await first.twin();  // taken, and so in the file
    await first.stop('SIGKILL');
    await hub.start();
    const saved = fs.readFileSync(file);
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);

    /// The program ends by itself, says why, and leaves the file alone.
    const refused = async (device, bytes, reason) => {
      if (bytes !== null) fs.writeFileSync(file, bytes);
      const before = bytes ?? saved;
      const program = start(device);
      const [code] = await program.ended;
      assert.equal(code, 1, program.log);
      assert.match(program.log, reason);
      assert.ok(!program.log.includes('connected'), program.log);
      assert.deepEqual(fs.readFileSync(file), before);
    };
    await refused('stranger', null, /keeper\.state: it is the state of keeper at localhost, not of stranger at localhost/);
    const body = saved.indexOf('DTDS');
    assert.ok(body > 0);
    for (const place of [body + 8, Math.floor((body + saved.length) / 2), saved.length - 1]) {
      const damaged = Buffer.from(saved);
      damaged[place] ^= 0x20;
      await refused('keeper', damaged, /keeper\.state: the stored data (is damaged|was stored by a newer version)/);
    }
    await refused('keeper', saved.subarray(0, saved.length - 1), /damaged/);
    await refused('keeper', Buffer.alloc(0), /damaged/);
    await refused('keeper', Buffer.from(saved.toString('latin1').replace('state 1', 'state 2'), 'latin1'), /saved by a newer version/);
    const newer = Buffer.from(saved);
    newer[body + 4] += 1;
    await refused('keeper', newer, /newer version|damaged/);
    fs.renameSync(file, `${file}.elsewhere`);
    fs.writeFileSync(`${file}.elsewhere`, saved);
    fs.symlinkSync(`${file}.elsewhere`, file);
    await refused('keeper', null, /symbolic link/);
    assert.ok(fs.lstatSync(file).isSymbolicLink());
    fs.unlinkSync(file);

    // As the program's first version wrote it, without saying whose it is; and with a link where the new file is made.
    fs.writeFileSync(file, saved.subarray(body));
    fs.writeFileSync(`${file}.elsewhere`, 'precious');
    fs.symlinkSync(`${file}.elsewhere`, `${file}.new`);
    const last = start('keeper');
    await until(async () => (await hub.twin('keeper')).properties.reported.pending === 'report', 'the report');
    assert.match(last.log, /keeper\.state does not say whose state it is/);
    assert.equal(fs.readFileSync(`${file}.elsewhere`, 'utf8'), 'precious');
    const [, host, device] = fs.readFileSync(file, 'latin1').split('\n');
    assert.deepEqual([host, device], ['localhost', 'keeper']);
    const second = start('keeper');  // while the other one runs
    const [code] = await second.ended;
    assert.equal(code, 1);
    assert.match(second.log, /another program uses it/);
    assert.deepEqual(properties((await hub.twin('stranger')).properties.reported), {});
  }, { seconds: 60 });

  test('the device program ends when all is reported, if asked to', async () => {
    const program = new Program(hub, 'typist', { options: ['--until-reported'] });
    program.type({ bye: Date.now() });
    program.process.stdin.end();
    const [code] = await program.ended;
    assert.equal(code, 0);
    assert.ok((await hub.twin('typist')).properties.reported.bye);
  });
}
