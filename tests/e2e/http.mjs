// The hub's HTTP server under attack, and what it understands of HTTP. Each attack has a bound: the broker's memory, or the
// time until the server ends it. Meanwhile a back end is served.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { pause, test, until } from './support/harness.mjs';
import { startChild } from './support/children.mjs';
import { freePort, obstacle, root } from './support/hub.mjs';

export const httpDevices = ['web', 'wide'];

const maxMemory = 96;  // MB; the broker has some 20 after it has started

/// A raw connection to the hub: {socket, received(), closed}. `secure` for TLS.
async function connect(hub, secure, afterwards) {
  const socket = secure ? tls.connect({ host: '127.0.0.1', port: hub.httpsPort, ca: hub.ca }) : net.connect(hub.httpPort, '127.0.0.1');
  const raw = { socket, text: '', closed: false };
  socket.on('data', (bytes) => { raw.text += bytes.toString('latin1'); });
  socket.on('error', () => {});
  socket.on('close', () => { raw.closed = true; });
  afterwards(() => socket.destroy());
  await once(socket, secure ? 'secureConnect' : 'connect');
  return raw;
}

/// The first answer that a connection got: {status, headers, body}; null when there is none.
function answerIn(text) {
  const match = /^HTTP\/1\.1 (\d+) [^\r\n]*\r\n([^]*?)\r\n\r\n([^]*)$/.exec(text);
  if (!match) return null;
  const headers = Object.fromEntries(match[2].split('\r\n').map((line) => line.split(': ')).map(([name, ...value]) => [name.toLowerCase(), value.join(': ')]));
  return { status: Number(match[1]), headers, body: match[3] };
}

/// An error's form: its name in the header and the body.
function assertErrorForm(answer, status) {
  assert.equal(answer.status, status);
  const body = JSON.parse(answer.body);
  assert.ok(answer.headers['iothub-errorcode']);
  assert.ok(body.Message.startsWith(`ErrorCode:${answer.headers['iothub-errorcode']};`), answer.body);
  assert.match(body.ExceptionMessage, /^Tracking ID:/);
}

/// Sends `begin`, and then `piece` up to `most` bytes as long as the server takes it. Returns the answer, and how much was sent.
async function flood(hub, secure, afterwards, begin, piece, most = 300e6) {
  const raw = await connect(hub, secure, afterwards);
  const bytes = Buffer.from(piece.repeat(Math.ceil(65536 / piece.length)), 'latin1');
  let sent = 0;
  raw.socket.write(begin);
  while (!raw.closed && sent < most) {
    sent += bytes.length;
    if (!raw.socket.write(bytes)) await until(() => raw.closed || !raw.socket.writableNeedDrain, 'room for more', 20);
  }
  await until(() => raw.closed, 'the end of the connection', 15);
  return { answer: answerIn(raw.text), sent };
}

/// Has a back end ask again and again until `attack` is over; each question has to be answered.
async function whileServed(hub, attack) {
  let over = false;
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  const serve = async () => {
    for (let n = 0; !over || n < 20; ++n) {
      assert.equal((await hub.request('GET', '/twins/web', undefined, {}, n % 2 ? agent : false)).status, 200);
      await pause(20);
    }
  };
  try {
    return (await Promise.all([attack().finally(() => { over = true; }), serve()]))[0];
  } finally {
    over = true;
    agent.destroy();
  }
}

const head = 'PUT /twins/web HTTP/1.1\r\nHost: localhost\r\n';

function boundedTests(hub) {
  for (const [what, status, begin, piece] of [
    ['a chunked body', 413, `${head}Transfer-Encoding: chunked\r\n\r\n`, `1000\r\n${'x'.repeat(4096)}\r\n`],
    ['a body with a length', 413, `${head}Content-Length: 300000000\r\n\r\n`, 'x'],
    ['a chunk extension', 431, `${head}Transfer-Encoding: chunked\r\n\r\n1;x=`, 'y'],
    ['chunks that are all extension', 413, `${head}Transfer-Encoding: chunked\r\n\r\n`, `1;x=${'y'.repeat(8000)}\r\nz\r\n`],
    ['trailers', 431, `${head}Transfer-Encoding: chunked\r\n\r\n0\r\n`, 'X: y\r\n'],
    ['a request line', 414, 'GET /', 'x'],
    ['a header', 431, `${head}X: `, 'x'],
    ['headers', 431, head, 'X: y\r\n'],
    ['no HTTP at all', 400, '', '\0'],
  ]) {
    test(`300 MB without a token are not taken in: ${what}`, async (afterwards) => {
      for (const secure of [false, true]) {
        const { answer, sent } = await whileServed(hub, () => flood(hub, secure, afterwards, begin, piece));
        assert.ok(sent < 100e6, `${sent} bytes were sent`);
        if (answer) assertErrorForm(answer, status);  // who goes on sending may lose it
        // Who stops in time gets the answer.
        const enough = what === 'chunks that are all extension' ? 2.3e6 : 5e5;
        assertErrorForm((await flood(hub, secure, afterwards, begin, piece, enough)).answer, status);
      }
      assert.ok(hub.memory() < maxMemory, `${hub.memory()} MB`);
    });
  }

  test('many bodies at once, none of them complete, stay within the bound, and the back end within its own', async (afterwards) => {
    await whileServed(hub, async () => {
      const all = await Promise.all([...Array(240)].map(() => connect(hub, false, afterwards)));
      for (const raw of all) raw.socket.write(`${head}Content-Length: 262144\r\n\r\n${'x'.repeat(262000)}`);
      await pause(1000);
      for (const raw of all) raw.socket.destroy();
    });
    assert.ok(hub.memory() < maxMemory, `${hub.memory()} MB`);
  });
}

function slowTests(hub) {
  test('what never ends is ended: dripped requests, stalled handshakes, unread answers', async (afterwards) => {
    const drip = async (begin, piece, secure) => {
      const raw = await connect(hub, secure, afterwards);
      raw.socket.write(begin);
      const timer = setInterval(() => raw.socket.write(piece), 200);
      raw.socket.on('close', () => clearInterval(timer));
      await until(() => raw.closed, `the end of ${begin.slice(0, 40)}`, 20);
      assertErrorForm(answerIn(raw.text), 408);
    };
    const silent = async (bytes, port) => {
      const socket = net.connect(port, '127.0.0.1').on('error', () => {}).resume();
      afterwards(() => socket.destroy());
      if (bytes.length > 0) socket.write(bytes);
      await Promise.race([once(socket, 'close'), pause(18000).then(() => { throw new Error(`still open: ${bytes.toString('hex')}`); })]);
    };
    const unread = async (secure) => {
      const raw = await connect(hub, secure, afterwards);
      raw.socket.removeAllListeners('data').pause();
      const request = `GET /twins/wide HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${hub.serviceToken()}\r\n\r\n`;
      const timer = setInterval(() => raw.socket.write(request.repeat(20)), 20);
      afterwards(() => clearInterval(timer));
      await until(() => raw.closed, 'the end of a client that does not read', 40);
    };
    const wide = Object.fromEntries([...Array(7).keys()].map((i) => [`s${i}`, 'x'.repeat(4000)]));
    assert.equal((await hub.desire('wide', wide)).status, 200);
    const hello = Buffer.from('160301020001000200', 'hex');  // the beginning of a handshake
    await whileServed(hub, () => Promise.all([
      drip('GET /', 'x', false), drip('GET /', 'x', true), drip(head, 'X: y\r\n', false), drip(`${head}Content-Length: 1000\r\n\r\n`, 'x', false),
      drip(`${head}Transfer-Encoding: chunked\r\n\r\n`, '1\r\nx\r\n', true), drip(`${head}Transfer-Encoding: chunked\r\n\r\n0\r\n`, 'X: y\r\n', false),
      silent(Buffer.alloc(0), hub.httpPort), silent(Buffer.alloc(0), hub.httpsPort), silent(hello, hub.httpsPort),
      unread(false), unread(true)]));
    assert.ok(hub.memory() < maxMemory, `${hub.memory()} MB`);
  }, { seconds: 60 });

  test('200 slow connections and 1,000 silent ones keep nobody out', async (afterwards) => {
    await whileServed(hub, async () => {
      const slow = await Promise.all([...Array(200).keys()].map((i) => connect(hub, i % 2 === 0, afterwards)));
      for (const raw of slow) raw.socket.write(head);
      await pause(500);
      for (let n = 0; n < 1000; n += 50) {
        await Promise.all([...Array(50)].map(() => connect(hub, n % 200 === 0, afterwards)));
      }
      await pause(500);
    });
    assert.ok(hub.memory() < maxMemory, `${hub.memory()} MB`);
    assert.equal((await hub.request('GET', '/twins/web')).status, 200);
  });

  test('clients that keep their connections do not hold up others', async (afterwards) => {
    const kept = [];
    for (let n = 0; n < 40; ++n) {
      const agent = new https.Agent({ keepAlive: true });
      afterwards(() => agent.destroy());
      assert.equal((await hub.request('GET', '/twins/web', undefined, {}, agent)).status, 200);
      kept.push(agent);
    }
    // Every connection is still there, so nobody had to end for the next.
    assert.equal((await hub.request('GET', '/twins/web')).status, 200);
    const open = kept.filter((agent) => Object.values(agent.freeSockets).flat().some((socket) => !socket.destroyed));
    assert.equal(open.length, kept.length);
    // And of the strangers that come in masses, none takes the place of those that were let in.
    for (let n = 0; n < 300; n += 50) await Promise.all([...Array(50)].map(() => connect(hub, false, afterwards)));
    await pause(100);
    assert.equal(kept.filter((agent) => Object.values(agent.freeSockets).flat().some((socket) => !socket.destroyed)).length, kept.length);
  });
}

function protocolTests(hub) {
  const authorization = () => `Authorization: ${hub.serviceToken()}\r\n`;
  /// Sends a text, and returns all that comes until the server ends the connection.
  const exchange = async (text, afterwards, secure = false) => {
    const raw = await connect(hub, secure, afterwards);
    raw.socket.write(text);
    await until(() => raw.closed, 'the end of the connection', 15);
    return raw.text;
  };

  test('a request with two lengths is refused, and what follows it is no request', async (afterwards) => {
    const hidden = `DELETE /devices/web HTTP/1.1\r\nHost: localhost\r\n${authorization()}\r\n`;
    for (const framing of [`Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, `Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
      `Content-Length: 0\r\nContent-Length: 5\r\n\r\n`, `Content-Length: 0, 5\r\n\r\n`, `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
      `Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`, `Content-Length : 0\r\n\r\n`]) {
      const text = await exchange(`GET /twins/web HTTP/1.1\r\nHost: localhost\r\n${authorization()}${framing}${hidden}`, afterwards);
      assert.equal(text.split('HTTP/1.1 ').length - 1, 1, framing);
      const answer = answerIn(text);
      assertErrorForm(answer, framing.includes('xchunked') || framing.includes('identity') ? answer.status : 400);
      assert.ok(answer.status === 400 || answer.status === 501);
      assert.equal(answer.headers.connection, 'close');
    }
    assert.equal((await hub.request('GET', '/devices/web')).status, 200);
  });

  test('requests sent at once are answered one after another', async (afterwards) => {
    const get = `GET /twins/web HTTP/1.1\r\nHost: localhost\r\n${authorization()}\r\n`;
    const text = await exchange(get.repeat(49) + get.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'), afterwards);
    assert.equal(text.match(/HTTP\/1\.1 200 /g).length, 50);
  });

  test('malformed requests get 400 and the end of the connection', async (afterwards) => {
    for (const text of ['GET\r\n\r\n', 'GET / HTTP/9.9\r\nHost: h\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n', 'GET x HTTP/1.1\r\nHost: h\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n', 'G\0T / HTTP/1.1\r\nHost: h\r\n\r\n', 'GET / HTTP/1.1\r\nHost: h\r\nX y\r\n\r\n']) {
      assertErrorForm(answerIn(await exchange(text, afterwards)), 400);
    }
    assertErrorForm(answerIn(await exchange(`${head}Content-Length: 300000\r\nExpect: 100-continue\r\n\r\n`, afterwards, true)), 413);
    assertErrorForm(answerIn(await exchange(`${head}Expect: wonders\r\n\r\n`, afterwards)), 417);
  });

  test('a stranger is refused whatever is asked for, and loses the connection', async (afterwards) => {
    for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS', 'BREW', 'TRACE']) {
      for (const target of ['/', '/twins/web', '/devices/query', '/x/y/z']) {
        const answer = answerIn(await exchange(`${method} ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`, afterwards));
        assert.equal(answer.status, 401, `${method} ${target}`);
        assert.equal(answer.headers.connection, 'close');
      }
    }
  });

  test('HEAD, Range, 100-continue, HTTP/1.0 and unknown methods are understood', async (afterwards) => {
    const got = await hub.request('GET', '/twins/web');
    const twin = JSON.stringify(got.body);
    const headed = answerIn(await exchange(`HEAD /twins/web HTTP/1.1\r\nHost: h\r\n${authorization()}Connection: close\r\n\r\n`, afterwards));
    assert.equal(headed.status, 200);
    assert.equal(headed.body, '');
    assert.equal(Number(headed.headers['content-length']), Buffer.byteLength(twin));
    assert.equal(headed.headers.etag, got.etag);
    const ranged = await hub.request('GET', '/twins/web', undefined, { Range: 'bytes=0-9', 'If-Range': got.etag });
    assert.equal(ranged.status, 200);
    assert.equal(JSON.stringify(ranged.body), twin);
    const old = answerIn(await exchange(`GET /twins/web HTTP/1.0\r\n${authorization()}\r\n`, afterwards));
    assert.equal(old.status, 200);
    assert.equal(JSON.stringify(JSON.parse(old.body)), twin);
    for (const method of ['POST', 'BREW', 'OPTIONS']) {
      const { status } = answerIn(await exchange(`${method} /twins/web HTTP/1.1\r\nHost: h\r\n${authorization()}Connection: close\r\n\r\n`, afterwards));
      assert.ok(status === 405 || status === 501, `${method}: ${status}`);
    }

    const raw = await connect(hub, true, afterwards);
    const body = '{"tags":{"waited":true}}';
    raw.socket.write(`PATCH /twins/web HTTP/1.1\r\nHost: h\r\n${authorization()}Expect: 100-continue\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`);
    await until(() => raw.text === 'HTTP/1.1 100 Continue\r\n\r\n', 'the word to go on');
    raw.text = '';
    raw.socket.write(body);
    await until(() => raw.closed, 'the answer');
    assert.equal(answerIn(raw.text).status, 200);
    const chunked = answerIn(await exchange(`PATCH /twins/web HTTP/1.1\r\nHost: h\r\n${authorization()}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n` +
      '9;x=y\r\n{"tags":{\r\na\r\n"chunked":\r\n6\r\ntrue}}\r\n0\r\nX: y\r\n\r\n', afterwards));
    assert.equal(chunked.status, 200);
    assert.deepEqual((await hub.twin('web')).tags, { waited: true, chunked: true });
  });

  test('an empty chunked body sent byte by byte does no harm', async (afterwards) => {
    const raw = await connect(hub, false, afterwards);
    for (const byte of `GET /twins/web HTTP/1.1\r\nHost: h\r\n${authorization()}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n`) {
      raw.socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => raw.closed, 'the answer');
    assert.equal(answerIn(raw.text).status, 200);
  });
}

function startTests(hub) {
  const startSh = path.join(root, 'examples/mosquitto_hub/start.sh');
  // The plugin is built, and another user may not be able to build it: cmake does nothing here.
  const tools = fs.mkdtempSync(path.join(path.dirname(hub.dir), 'tools-'));
  fs.chmodSync(tools, 0o755);
  fs.writeFileSync(path.join(tools, 'cmake'), '#!/bin/sh\n', { mode: 0o755 });
  /// Runs start.sh until it ends, 30 s at most: {status, stdout, stderr}.
  const start = (dir, options) => spawnSync('timeout', ['30', 'sh', startSh, '--dir', dir, '--build', hub.build, ...options],
    { encoding: 'utf8', env: { ...process.env, PATH: `${tools}:${process.env.PATH}` } });
  const folder = (name) => fs.mkdtempSync(path.join(path.dirname(hub.dir), name));

  test('a port that somebody has is an error, and the other hub goes on', async (afterwards) => {
    for (const [options, what] of [[['--https-port', hub.httpsPort], `127.0.0.1:${hub.httpsPort} for HTTPS`],
      [['--https-port', await freePort(), '--http-port', hub.httpPort], `127.0.0.1:${hub.httpPort} for HTTP`]]) {
      const second = start(folder('second-'), ['--port', await freePort(), ...options]);
      assert.ok(second.status !== 0 && second.status !== 124, `${second.status}`);
      assert.match(second.stderr, new RegExp(`cannot listen on ${what}: Address already in use`));
      for (let n = 0; n < 20; ++n) assert.equal((await hub.request('GET', '/twins/web')).status, 200);
    }
  });

  test('a second hub in the same folder is refused before it changes anything', async () => {
    const configuration = fs.readFileSync(path.join(hub.dir, 'mosquitto.conf'), 'utf8');
    const second = start(hub.dir, ['--port', await freePort(), '--https-port', await freePort()]);
    assert.equal(second.status, 1);
    assert.match(second.stderr, /A hub is running in .* already/);
    assert.equal(fs.readFileSync(path.join(hub.dir, 'mosquitto.conf'), 'utf8'), configuration);
  });

  test("the certificate has the hub's names, and is made anew when they change", async () => {
    const dir = folder('names-');
    const names = (...options) => {
      const run = start(dir, ['--prepare', ...options]);
      assert.equal(run.status, 0, run.stderr);
      const certificate = new X509Certificate(fs.readFileSync(path.join(dir, 'server.pem')));
      assert.ok(certificate.checkIssued(new X509Certificate(fs.readFileSync(path.join(dir, 'ca.pem')))));
      return certificate;
    };
    const first = names();
    assert.equal(first.subjectAltName, 'DNS:localhost, IP Address:127.0.0.1');
    assert.equal(names().fingerprint256, first.fingerprint256);
    const more = names('--host', 'Twins.Example', '--host', '192.0.2.7', '--host', 'localhost');
    assert.equal(more.subjectAltName, 'DNS:localhost, IP Address:127.0.0.1, DNS:twins.example, IP Address:192.0.2.7');
    assert.equal(fs.readFileSync(path.join(dir, 'mosquitto.conf'), 'utf8').match(/^plugin_opt_host .*$/mg).length, 4);
    assert.equal(names().subjectAltName, first.subjectAltName);
    for (const bad of ['a b', 'x,DNS:y', '-x', '', 'x\nplugin /tmp/x.so']) {
      assert.equal(start(dir, ['--prepare', '--host', bad]).status, 2, bad);
    }
  });

  test('TLS 1.1 and an unknown authority are refused, and plain HTTP on the port of HTTPS', async (afterwards) => {
    const refused = (options) => new Promise((resolve, reject) => {
      const socket = tls.connect({ host: '127.0.0.1', port: hub.httpsPort, ca: hub.ca, ...options });
      socket.on('secureConnect', () => { socket.destroy(); reject(new Error('accepted')); }).on('error', resolve);
    });
    await refused({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1' });
    await refused({ ca: tls.rootCertificates.slice(0, 1) });
    const socket = net.connect(hub.httpsPort, '127.0.0.1').on('error', () => {}).resume();
    afterwards(() => socket.destroy());
    socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await once(socket, 'close');
  });

  test('the broker does not run as root, and nobody else can read its secrets', async () => {
    const uid = Number(/^Uid:\s*(\d+)/m.exec(fs.readFileSync(`/proc/${hub.process.pid}/status`, 'utf8'))[1]);
    assert.notEqual(uid, 0);
    for (const name of ['keys', 'ca.key', 'server.key', 'twins.sqlite', 'twins.sqlite-wal']) {
      assert.equal(fs.statSync(path.join(hub.dir, name)).mode & 0o077, 0, name);
    }
    const commandLine = fs.readFileSync(`/proc/${hub.process.pid}/cmdline`, 'utf8');
    assert.ok(!commandLine.includes(hub.servicePolicyKey));
  });

  test('a user who may not bind 443 gets HTTPS on 8443, and is told', async (afterwards) => {
    const low = Number(fs.readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8')) <= 443;
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all'];
    const reachable = process.getuid() === 0 && spawnSync(nobody[0], [...nobody.slice(1), 'test', '-r', startSh, '-a', '-r', `${hub.build}/twin_hub.so`]).status === 0;
    if (!reachable || low || await obstacle(8443) !== null) {
      console.log('SKIPPED: it takes root to become another user, the repository in reach of that one, 443 out of reach, and 8443 free');
      return;
    }
    const dir = folder('plain-');
    fs.chownSync(dir, 65534, 65534);
    const own = { __proto__: hub, dir };
    const [command, ...rest] = nobody;
    const child = startChild(command, [...rest, 'sh', startSh, '--dir', dir, '--build', hub.build, '--port', await freePort()],
      { env: { ...process.env, PATH: `${tools}:${process.env.PATH}` } });
    const ended = once(child, 'exit');
    afterwards(() => { child.kill(); return ended; });
    let output = '';
    child.stdout.on('data', (bytes) => { output += bytes; });
    child.stderr.on('data', (bytes) => { output += bytes; });
    await until(() => / running\n/.test(output), () => `a hub: ${output}`, 30);
    assert.match(output, /8443.*443 only.*sysctl/);
    own.httpsPort = 8443;
    own.ca = fs.readFileSync(path.join(dir, 'ca.pem'), 'utf8');
    own.servicePolicyKey = /^policy +service +(\S+)$/m.exec(fs.readFileSync(path.join(dir, 'keys'), 'utf8'))[1];
    assert.equal((await own.request('GET', '/twins/greenhouse-07')).status, 200);
    // twin.sh finds the port by itself.
    const shown = spawnSync('sh', [path.join(root, 'examples/mosquitto_hub/twin.sh'), '--dir', dir, 'greenhouse-07', '{"vent":"auto"}'], { encoding: 'utf8' });
    assert.equal(JSON.parse(shown.stdout).properties.desired.vent, 'auto', shown.stderr);
  });
}

export function httpTests(hub) {
  protocolTests(hub);
  startTests(hub);
  slowTests(hub);
  boundedTests(hub);
}
