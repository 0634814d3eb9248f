// The broker is killed without a warning, again and again: nothing that was acknowledged is lost.

import assert from 'node:assert/strict';
import { test, pause, until } from './support/harness.mjs';
import { properties } from './support/hub.mjs';
import { openDevice, openMqtt, refresh, report } from './support/clients.mjs';

export const restartDevices = ['survivor', 'writer-1', 'writer-2'];

/// Writes a counter under `name` as fast as it is acknowledged, until told to stop; remembers what was acknowledged.
function keepWriting(write) {
  const state = { acknowledged: 0, sent: 0, stopping: false };
  state.done = (async () => {
    while (!state.stopping) {
      const n = ++state.sent;
      try {
        if (await write(n)) state.acknowledged = n;
      } catch {
        await pause(20);
      }
    }
  })();
  return state;
}

export function restartTests(hub) {
  test('a hub killed and started again has everything that it acknowledged', async (afterwards) => {
    const kills = 5;
    let reporter = null;
    const reports = keepWriting(async (n) => {
      if (!reporter || reporter.closed) {
        reporter = await openMqtt(hub, 'writer-1', afterwards);
        await reporter.subscribe('$iothub/twin/res/#');
      }
      return (await reporter.ask('$iothub/twin/PATCH/properties/reported/', `{"n":${n}}`, `n${n}-${Date.now()}`)).status === 204;
    });
    const desires = keepWriting(async (n) => (await hub.desire('writer-2', { n })).status === 200);
    for (let kill = 0; kill < kills; ++kill) {
      const before = [reports.acknowledged, desires.acknowledged];
      await until(() => reports.acknowledged > before[0] + 5 && desires.acknowledged > before[1] + 5, 'writes', 20);
      await pause(Math.random() * 50);
      await hub.stop('SIGKILL');
      const [reported, desired] = [reports.acknowledged, desires.acknowledged];
      await hub.start();
      // What was sent last may have been written without its acknowledgement having left; nothing else.
      const [one, two] = [await hub.twin('writer-1'), await hub.twin('writer-2')];
      assert.ok(one.properties.reported.n >= reported, `${one.properties.reported.n} of ${reported} reported`);
      assert.ok(two.properties.desired.n >= desired, `${two.properties.desired.n} of ${desired} desired`);
    }
    reports.stopping = desires.stopping = true;
    await Promise.all([reports.done, desires.done]);
  }, { seconds: 60 });

  test("Microsoft's client goes on after the hub was killed", async (afterwards) => {
    const client = await openDevice(hub, 'survivor', afterwards);
    const twin = await client.getTwin();
    const events = [];
    twin.on('properties.desired', (delta) => events.push(delta));
    await until(() => events.length === 1, 'the event of subscribing');
    await report(twin, { before: 'the kill' });
    await hub.stop('SIGKILL');
    await hub.start();
    await until(() => report(twin, { after: 'the kill' }).then(() => true, () => false), 'a report after the kill', 30);
    await refresh(twin);
    const { update, ...own } = twin.properties.reported;
    assert.deepEqual(properties(own), { before: 'the kill', after: 'the kill' });
    const known = events.length;
    await hub.desire('survivor', { news: 1 });
    await until(() => events.slice(known).some((delta) => delta.news === 1), 'the event after the kill');
  }, { seconds: 60 });
}
