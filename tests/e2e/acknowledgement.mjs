// What an acknowledgement means: the reply of the twin, the PUBACK with --puback committed; and requests that must get one.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { startChild } from './support/children.mjs';
import { test, until } from './support/harness.mjs';
import { freePort, Hub } from './support/hub.mjs';
import { openMqtt } from './support/clients.mjs';

export const acknowledgementDevices = ['retaining', 'asking', 'killed'];

const reported = '$iothub/twin/PATCH/properties/reported/';

/// Reports a counter; the hub is killed with the very acknowledgement, and has it when it runs again.
async function killAtAcknowledgement(hub, rounds, report) {
  for (let n = 1; n <= rounds * 10; ++n) {
    await report(n);
    if (n % 10 !== 0) continue;
    await hub.stop('SIGKILL');
    await hub.start();
    assert.equal((await hub.twin('killed')).properties.reported.n, n);
  }
}

export function acknowledgementTests(hub, work) {
  test("Microsoft's published flow, every message with RETAIN, is answered", async (afterwards) => {
    // As mosquitto_device_twin.cpp of Azure-Samples/IoTMQTTSample: both filters at QoS 1, then PATCH and GET, retained at QoS 1.
    for (const qos of [1, 0]) {
      const device = await openMqtt(hub, 'retaining', afterwards);
      await device.subscribe('$iothub/twin/res/#', 1);
      await device.subscribe('$iothub/twin/PATCH/properties/desired/#', 1);
      await device.publish(`${reported}?$rid=patch_temp`, `{"temperature":${20 + qos}}`, { qos, retain: true });
      await until(() => device.messages.some((m) => m.topic.startsWith('$iothub/twin/res/204/?$rid=patch_temp')), 'the reply to PATCH', 5);
      await device.publish('$iothub/twin/GET/?$rid=get_twin', '', { qos, retain: true });
      await until(() => device.messages.some((m) => m.topic.startsWith('$iothub/twin/res/200/?$rid=get_twin')), 'the reply to GET', 5);
      await device.publish('devices/retaining/messages/events/', 'telemetry', { qos, retain: true });
      assert.equal((await hub.twin('retaining')).properties.reported.temperature, 20 + qos);
    }
  });

  test('the broker keeps no message, retained as it may be', async (afterwards) => {
    // The same broker, with a file of what it keeps.
    await hub.stop();
    const conf = path.join(hub.dir, 'kept.conf');
    const kept = path.join(hub.dir, 'mosquitto.db');
    fs.writeFileSync(conf, fs.readFileSync(path.join(hub.dir, 'mosquitto.conf'), 'utf8')
      .replace('persistence false', `persistence true\npersistence_location ${hub.dir}/`).replace(/^plugin_opt_https?_port .*$/mg, ''));
    const broker = startChild('mosquitto', ['-c', conf], { stdio: 'ignore', env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
    const ended = once(broker, 'exit');
    afterwards(async () => {
      broker.kill('SIGKILL');
      await ended;
      await hub.start();
    });
    const device = await until(() => openMqtt(hub, 'retaining', afterwards, {
      will: { topic: 'devices/retaining/messages/events/', payload: 'KEPT-WILL', qos: 1, retain: true } }).catch(() => null), 'the broker', 20);
    await device.publish('devices/retaining/messages/events/', 'KEPT-TELEMETRY', { qos: 1, retain: true });
    await device.publish(`${reported}?$rid=1`, '{"x":"KEPT-REPORT"}', { qos: 1, retain: true });
    device.client.stream.destroy();  // its last will is due
    const next = await openMqtt(hub, 'retaining', afterwards);
    await next.subscribe('$iothub/twin/res/#');
    assert.match((await next.ask('$iothub/twin/GET/', '', 'g')).payload, /KEPT-REPORT/);
    broker.kill('SIGTERM');
    await ended;
    assert.ok(fs.existsSync(kept));
    assert.doesNotMatch(fs.readFileSync(kept, 'latin1'), /KEPT-/);
  }, { seconds: 60 });

  test('a malformed request with a request id is answered with 400', async (afterwards) => {
    const device = await openMqtt(hub, 'asking', afterwards);
    await device.subscribe('$iothub/twin/res/#');
    const before = await hub.twin('asking');
    const long = 'r'.repeat(257);
    for (const [topic, id] of [[`${reported}?$rid=v1&$version=abc`, 'v1'], [`${reported}?$version=-1&$rid=v2`, 'v2'], [`${reported}?$rid=v3&$rid=v4`, 'v3'],
      [`$iothub/twin/GET/x?$rid=v5`, 'v5'], [`${reported}?$rid=${long}`, long]]) {
      await device.publish(topic, '{"x":1}');
      const answer = await until(() => device.messages.find((m) => m.topic.endsWith(`?$rid=${id}`)), `the answer to ${topic}`, 5);
      assert.equal(answer.topic, `$iothub/twin/res/400/?$rid=${id}`);
      assert.equal(JSON.parse(answer.payload).errorCode, 400004);
    }
    assert.deepEqual((await hub.twin('asking')).properties, before.properties);
  });

  test('what had its reply is there after a kill', async (afterwards) => {
    let device = null;
    await killAtAcknowledgement(hub, 3, async (n) => {
      if (!device || device.closed) {
        device = await openMqtt(hub, 'killed', afterwards);
        await device.subscribe('$iothub/twin/res/#');
      }
      assert.equal((await device.ask(reported, `{"n":${n}}`, `n${n}`)).status, 204);
    });
  }, { seconds: 120 });

  test('with --puback committed, what had its PUBACK is there after a kill, and without room there is none', async (afterwards) => {
    // A file that may not grow is an error for the broker, and not its end.
    const committed = await Hub.create(path.join(work, 'committed'), hub.build, ['killed'], ['--puback', 'committed', '--https-port', String(await freePort())],
      ['sh', '-c', 'trap "" XFSZ; exec sh "$@"', 'sh']);
    afterwards(() => committed.stop());
    let device = null;
    const connect = async () => {
      if (!device || device.closed) device = await openMqtt(committed, 'killed', afterwards);
    };
    await killAtAcknowledgement(committed, 3, async (n) => {
      await connect();
      await device.publish(`${reported}?$rid=n${n}`, `{"n":${n}}`, { qos: 1 });
    });

    // As the broker's user: a root without capabilities may not do it to another.
    const limit = (size) => {
      const { uid, gid } = fs.statSync(`/proc/${committed.process.pid}`);
      const as = process.getuid() === uid ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
      const [command, ...args] = [...as, 'prlimit', '--pid', String(committed.process.pid), `--fsize=${size}:unlimited`];
      execFileSync(command, args);
    };
    limit(fs.statSync(path.join(committed.dir, 'twins.sqlite-wal')).size + 30000);
    afterwards(() => limit('unlimited'));
    await connect();
    let acknowledged = 0, n = 100;
    await assert.rejects(async () => {
      for (; n < 1000; ++n) {
        await device.publish(`${reported}?$rid=n${n}`, JSON.stringify({ n, text: 'x'.repeat(4000) }), { qos: 1 });
        acknowledged = n;
      }
    }, /closed/);
    assert.ok(acknowledged >= 100, 'some had room');
    assert.match(committed.log(), /did not take what killed wrote/);
    const seen = (await committed.twin('killed')).properties.reported.n;
    assert.equal(seen, acknowledged);
    limit('unlimited');
    await connect();
    await device.publish(`${reported}?$rid=again`, '{"n":2000}', { qos: 1 });
    assert.equal((await committed.twin('killed')).properties.reported.n, 2000);
  }, { seconds: 180 });
}
