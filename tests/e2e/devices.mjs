// What Microsoft's device client does with the hub: nothing of it was written for this hub.

import assert from 'node:assert/strict';
import { test, until, rejection, pause } from './support/harness.mjs';
import { properties } from './support/hub.mjs';
import { openDevice, openMqtt, refresh, report } from './support/clients.mjs';

export const deviceDevices = ['fresh', 'reporter', 'follower', 'arrays', 'careless', 'left', 'right', 'gateway', 'gateway/pump', 'sleeper'];

export function deviceTests(hub) {
  test("a device's first getTwin gives an empty twin at version 1", async (afterwards) => {
    const client = await openDevice(hub, 'fresh', afterwards);
    const twin = await client.getTwin();
    assert.deepEqual(properties(twin.properties.desired), {});
    assert.equal(twin.properties.desired.$version, 1);
    assert.equal(twin.properties.reported.$version, 1);
  });

  test('what a device reports, the service and a fresh getTwin have', async (afterwards) => {
    const client = await openDevice(hub, 'reporter', afterwards);
    const twin = await client.getTwin();
    await report(twin, { rpm: 900, mode: { name: 'eco', since: '2026-03-02' }, empty: {}, big: 4503599627370495 });
    await report(twin, { rpm: null, mode: { since: null }, list: [1, 'two', { three: 3.5 }] });
    const expected = { mode: { name: 'eco' }, empty: {}, big: 4503599627370495, list: [1, 'two', { three: 3.5 }] };
    const seen = await hub.twin('reporter');
    const reported = { ...properties(seen.properties.reported) };
    assert.deepEqual(reported, expected);
    assert.equal(seen.properties.reported.$version, 3);
    assert.ok(seen.properties.reported.$metadata.mode.name.$lastUpdated);
    await refresh(twin);
    const { update, ...own } = twin.properties.reported;
    assert.deepEqual(properties(own), expected);
    assert.equal(own.$version, 3);
  });

  test('what the service desires arrives as an event, with its version', async (afterwards) => {
    const client = await openDevice(hub, 'follower', afterwards);
    const twin = await client.getTwin();
    const events = [];
    twin.on('properties.desired', (delta) => events.push(structuredClone(delta)));
    const modes = [];
    twin.on('properties.desired.climate.day', (value) => modes.push(value));
    await until(() => events.length === 1, 'the event of subscribing');  // the whole, as it is
    assert.equal((await hub.desire('follower', { climate: { day: 21, night: 16 }, vent: 'auto' })).status, 200);
    await until(() => events.length === 2, 'the event');
    assert.deepEqual(events[1], { climate: { day: 21, night: 16 }, vent: 'auto', $version: 2 });
    assert.ok(modes.includes(21));

    await hub.desire('follower', { climate: { night: null } });
    await until(() => events.length === 3, 'the event of the removal');
    assert.deepEqual(events[2], { climate: { night: null }, $version: 3 });
    assert.deepEqual(properties(twin.properties.desired), { climate: { day: 21 }, vent: 'auto' });

    const replaced = await hub.request('PUT', '/twins/follower?api-version=2021-04-12', { properties: { desired: { fan: 1 } } });
    assert.equal(replaced.status, 200);
    await until(() => events.length === 4, 'the event of the replacement');
    assert.deepEqual(events[3], { climate: null, vent: null, fan: 1, $version: 4 });
    await refresh(twin);
    assert.deepEqual(properties(twin.properties.desired), { fan: 1 });
  });

  test('an array is replaced as a whole', async (afterwards) => {
    const client = await openDevice(hub, 'arrays', afterwards);
    const twin = await client.getTwin();
    const events = [];
    twin.on('properties.desired', (delta) => events.push(delta));
    await until(() => events.length === 1, 'the event of subscribing');
    await hub.desire('arrays', { plan: [1, 2, 3] });
    await until(() => events.length === 2, 'the event');
    await hub.desire('arrays', { plan: [9] });
    await until(() => events.length === 3, 'the second event');
    // The client itself merges arrays element by element, and has [9,2,3] now: its getTwin tells the truth.
    await refresh(twin);
    assert.deepEqual(twin.properties.desired.plan, [9]);
    await report(twin, { plan: [1, 2, 3] });
    await report(twin, { plan: [] });
    await refresh(twin);
    assert.deepEqual(twin.properties.reported.plan, []);
  });

  const nested = (levels) => (levels === 0 ? 1 : { n: nested(levels - 1) });
  const refused = [
    ['a name with a dollar sign', { $sneaky: 1 }, /\$/],
    ['a dollar sign deep inside', { a: { $version: 3 } }, /\/a\/\$version/],
    ['a name with a dot', { 'a.b': 1 }, /\/a\.b/],
    ['a name with a space', { 'a b': 1 }, /\/a b/],
    ['a name with a number sign', { 'a#b': 1 }, /\/a#b/],
    ['a string of more than 4 KiB', { note: 'x'.repeat(4097) }, /\/note/],
    ['an integer beyond 2^52', { n: 4503599627370496 }, /\/n/],
    ['null in an array', { list: [1, null] }, /\/list\/1/],
    ['eleven levels', nested(12), /\/n/],
    ['more than 32 KiB in all', Object.fromEntries([...Array(9).keys()].map((i) => [`s${i}`, 'x'.repeat(4000)])), /./],
  ];
  for (const [what, patch, message] of refused) {
    test(`the client is told that a patch is refused: ${what}`, async (afterwards) => {
      const client = await openDevice(hub, 'careless', afterwards);
      const twin = await client.getTwin();
      const before = (await hub.twin('careless')).properties.reported;
      const error = await rejection(report(twin, patch), 'the patch');
      assert.match(error.message, message);
      assert.deepEqual((await hub.twin('careless')).properties.reported, before);
      await report(twin, { after: Date.now() });  // and it goes on
    });
  }

  test('two devices at once see nothing of each other', async (afterwards) => {
    const [left, right] = await Promise.all(['left', 'right'].map(async (name) => {
      const client = await openDevice(hub, name, afterwards);
      const twin = await client.getTwin();
      const events = [];
      twin.on('properties.desired', (delta) => events.push(delta));
      await until(() => events.length === 1, 'the event of subscribing');
      return { name, twin, events };
    }));
    const rounds = 20;
    for (let i = 0; i < rounds; ++i) {
      await Promise.all([report(left.twin, { from: 'left', i }), report(right.twin, { from: 'right', i: -i }),
        hub.desire('left', { for: 'left', i }), hub.desire('right', { for: 'right', i: -i })]);
    }
    for (const [device, sign] of [[left, 1], [right, -1]]) {
      await until(() => device.events.length === rounds + 1, `${device.name}'s events`);
      assert.ok(device.events.slice(1).every((delta, i) => delta.for === device.name && delta.i === sign * i + 0));
      const seen = await hub.twin(device.name);
      assert.deepEqual(properties(seen.properties.reported), { from: device.name, i: sign * (rounds - 1) });
      assert.equal(seen.properties.reported.$version, rounds + 1);
      assert.equal(seen.properties.desired.$version, rounds + 1);
    }
  });

  test('a module has a twin of its own', async (afterwards) => {
    const device = await openDevice(hub, 'gateway', afterwards);
    const module = await openMqtt(hub, 'gateway/pump', afterwards, {
      username: 'localhost/gateway/pump/?api-version=2021-04-12', password: hub.token('gateway/pump') });
    await module.subscribe('$iothub/twin/res/#');
    assert.equal((await module.ask('$iothub/twin/PATCH/properties/reported/', '{"own":1}', 'm1')).status, 204);
    const twin = await device.getTwin();
    await report(twin, { own: 2 });
    assert.equal((await hub.twin('gateway')).properties.reported.own, 2);
    const seen = (await hub.request('GET', '/twins/gateway/modules/pump?api-version=2021-04-12')).body;
    assert.equal(seen.moduleId, 'pump');
    assert.equal(seen.properties.reported.own, 1);
  });

  test('a device that connects again is told what is new', async (afterwards) => {
    const first = await openDevice(hub, 'sleeper', afterwards);
    const twin = await first.getTwin();
    await report(twin, { round: 1 });
    await first.close();
    await hub.desire('sleeper', { wake: 'early' });
    await pause(100);
    const second = await openDevice(hub, 'sleeper', afterwards);
    const again = await second.getTwin();
    assert.equal(again.properties.desired.wake, 'early');
    assert.equal(again.properties.reported.round, 1);
    const events = [];
    again.on('properties.desired', (delta) => events.push(delta));
    await until(() => events.length === 1, 'the event of subscribing');
    await hub.desire('sleeper', { wake: 'late' });
    await until(() => events.length === 2, 'the event');
    assert.deepEqual(events[1], { wake: 'late', $version: 3 });
  });
}
