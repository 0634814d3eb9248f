// The hub of examples/mosquitto_hub as a child process, and what is needed to talk to it.

import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from './children.mjs';
import { until } from './harness.mjs';

export const root = fileURLToPath(new URL('../../..', import.meta.url));

/// A port of 127.0.0.1 that nobody has.
export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/// What keeps this user from listening there on 127.0.0.1: null, 'EACCES' or 'EADDRINUSE'.
export async function obstacle(port) {
  const server = net.createServer().listen(port, '127.0.0.1');
  const problem = await once(server, 'listening').then(() => null, (error) => error.code);
  if (problem === null) await new Promise((resolve) => server.close(resolve));
  return problem;
}

/// A token as a hub checks it (docs/azure.md, "Tokens").
export function sasToken(resource, key, { expiry = Math.floor(Date.now() / 1000) + 3600, policy } = {}) {
  const encoded = encodeURIComponent(resource);
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(`${encoded}\n${expiry}`).digest('base64');
  return `SharedAccessSignature sr=${encoded}&sig=${encodeURIComponent(signature)}&se=${expiry}` + (policy ? `&skn=${policy}` : '');
}

export class Hub {
  /// `dir` keeps certificates, keys and twins from one start to the next; `devices` are the names in its key file; `options`
  /// are more options of start.sh, which `shell` runs. HTTPS has the port that start.sh chooses, unless somebody else has that.
  static async create(dir, build, devices, options = [], shell = ['sh']) {
    const hub = new Hub();
    hub.shell = shell;
    hub.dir = dir;
    hub.build = build;
    hub.port = await freePort();
    hub.httpPort = await freePort();
    hub.options = [...options];
    if (!options.includes('--https-port') && await obstacle(443) === 'EADDRINUSE') hub.options.push('--https-port', await freePort());
    fs.mkdirSync(dir, { recursive: true });
    hub.keys = new Map(devices.map((name) => [name, Buffer.from(`the key of ${name}`).toString('base64')]));
    hub.servicePolicyKey = Buffer.from('the key of the service').toString('base64');
    hub.writeKeys();
    await hub.start();
    return hub;
  }

  writeKeys() {
    const lines = [...this.keys].map(([name, key]) => `device ${name} ${key}`);
    fs.writeFileSync(path.join(this.dir, 'keys'), `${lines.join('\n')}\npolicy service ${this.servicePolicyKey}\n`);
  }

  async start() {
    const log = fs.openSync(path.join(this.dir, 'hub.log'), 'a');
    const script = path.join(root, 'examples/mosquitto_hub/start.sh');
    // The script becomes the broker: the process id is the broker's.
    this.process = startChild(this.shell[0], [...this.shell.slice(1), script, '--dir', this.dir, '--build', this.build, '--port', this.port, '--http-port', this.httpPort,
      ...this.options], { stdio: ['ignore', log, log] });
    fs.closeSync(log);
    this.ended = once(this.process, 'exit');
    await until(async () => {
      if (this.process.exitCode !== null) throw new Error(`the hub has ended:\n${this.log()}`);
      return (await answers(this.port)) && (await answers(this.httpPort));
    }, 'the hub listens', 60);
    this.ca = fs.readFileSync(path.join(this.dir, 'ca.pem'), 'utf8');
    this.httpsPort = Number(/^plugin_opt_https_port (\d+)$/m.exec(fs.readFileSync(path.join(this.dir, 'mosquitto.conf'), 'utf8'))[1]);
  }

  /// The most memory that the broker has had since it started, in MB.
  memory() {
    return Number(/VmHWM:\s*(\d+) kB/.exec(fs.readFileSync(`/proc/${this.process.pid}/status`, 'utf8'))[1]) / 1024;
  }

  log() {
    return fs.readFileSync(path.join(this.dir, 'hub.log'), 'utf8');
  }

  async stop(signal = 'SIGTERM') {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill(signal);
    await this.ended;
  }

  connectionString(device, key = this.keys.get(device), port = this.port) {
    return `HostName=localhost:${port};DeviceId=${device};SharedAccessKey=${key}`;
  }

  /// The token of a device or module (`device/module`).
  token(clientId, options) {
    const [device, module] = clientId.split('/');
    return sasToken(`localhost/devices/${device}` + (module ? `/modules/${module}` : ''), this.keys.get(clientId), options);
  }

  /// The token of a back end.
  serviceToken() {
    return sasToken('localhost', this.servicePolicyKey, { policy: 'service' });
  }

  /// A request to the service side: {status, etag, headers, body}, the body parsed where it is JSON. Each has a connection of
  /// its own, unless there is an agent.
  request(method, target, body, headers = {}, agent = false) {
    return new Promise((resolve, reject) => {
      const request = https.request({ host: '127.0.0.1', port: this.httpsPort, ca: this.ca, method, path: target, agent,
        headers: { Authorization: this.serviceToken(), 'Content-Type': 'application/json', ...headers } }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('error', reject).on('data', (piece) => { text += piece; }).on('end', () => {
          resolve({ status: response.statusCode, etag: response.headers.etag, headers: response.headers,
            body: text === '' ? null : JSON.parse(text) });
        });
      });
      request.setTimeout(10000, () => request.destroy(new Error('no answer')));
      request.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
  twin(device) {
    return this.request('GET', `/twins/${device}?api-version=2021-04-12`).then((answer) => answer.body);
  }
  desire(device, desired) {
    return this.request('PATCH', `/twins/${device}?api-version=2021-04-12`, { properties: { desired } });
  }
}

/// Whether somebody listens there.
function answers(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
}

/// A section without "$version" and "$metadata".
export function properties(section) {
  return Object.fromEntries(Object.entries(section).filter(([name]) => !name.startsWith('$')));
}

