// Microsoft's service client. It knows no port but 443, which the hub has when it may. It takes a certificate authority from
// the environment alone (NODE_EXTRA_CA_CERTS, see run.sh).

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { rejection, test, until } from './support/harness.mjs';
import { properties } from './support/hub.mjs';
import { openMqtt } from './support/clients.mjs';

const require = createRequire(import.meta.url);

export const registryDevices = ['managed'];

export function registryTests(hub) {
  const { Registry } = require('azure-iothub');
  const registry = Registry.fromConnectionString(
    `HostName=localhost;SharedAccessKeyName=service;SharedAccessKey=${hub.servicePolicyKey}`);

  test('the registry reads a twin and updates it, once for an etag', async (afterwards) => {
    const device = await openMqtt(hub, 'managed', afterwards);
    await device.subscribe('$iothub/twin/PATCH/properties/desired/#');
    const { responseBody: twin } = await registry.getTwin('managed');
    assert.equal(twin.deviceId, 'managed');
    assert.equal(twin.etag, 'AAAAAAAAAAE=');
    const { responseBody: updated } = await registry.updateTwin('managed',
      { tags: { site: 'north' }, properties: { desired: { rpm: 900 } } }, twin.etag);
    assert.equal(updated.etag, 'AAAAAAAAAAI=');
    assert.equal(updated.properties.desired.rpm, 900);
    assert.equal(updated.properties.desired.$metadata.rpm.$lastUpdatedVersion, 2);
    assert.deepEqual(updated.tags, { site: 'north' });
    await until(() => device.messages.length === 1, 'the notification');
    assert.deepEqual(JSON.parse(device.messages[0].payload), { rpm: 900, $version: 2 });

    const error = await rejection(registry.updateTwin('managed', { tags: { site: 'south' } }, twin.etag), 'the old etag');
    assert.equal(error.name, 'InvalidEtagError');
    assert.equal((await registry.getTwin('managed')).responseBody.tags.site, 'north');
    await registry.updateTwin('managed', { tags: { site: null } }, '*');
    assert.deepEqual((await registry.getTwin('managed')).responseBody.tags ?? {}, {});
  });

  test("the registry's own twin object updates itself", async () => {
    const { responseBody: twin } = await registry.getTwin('managed');
    const before = twin.etag;
    await twin.update({ properties: { desired: { vent: 'auto' } } });
    assert.equal(twin.properties.desired.vent, 'auto');
    assert.notEqual(twin.etag, before);
    await twin.update({ properties: { desired: { vent: null } } });  // with the new etag
    assert.equal(twin.properties.desired.vent, undefined);
  });

  test('the registry is told why something is refused', async () => {
    const error = await rejection(registry.updateTwin('managed', { properties: { desired: { 'a.b': 1 } } }, '*'), 'a bad name');
    assert.match(error.responseBody ?? error.message, /a\.b/);
    assert.equal((await rejection(registry.getTwin('nobody'), 'nobody')).response.statusCode, 404);
    const stranger = Registry.fromConnectionString('HostName=localhost;SharedAccessKeyName=service;SharedAccessKey=d3Jvbmc=');
    assert.equal((await rejection(stranger.getTwin('managed'), 'a wrong key')).name, 'UnauthorizedError');
  });

  test('a device that the registry makes can connect, until it is deleted', async (afterwards) => {
    const key = Buffer.from('made by the registry').toString('base64');
    const authentication = { type: 'sas', symmetricKey: { primaryKey: key, secondaryKey: key } };
    const { responseBody: made } = await registry.create({ deviceId: 'made-1', authentication });
    assert.equal(made.deviceId, 'made-1');
    assert.equal((await rejection(registry.create({ deviceId: 'made-1', authentication }), 'a second one')).name, 'DeviceAlreadyExistsError');
    hub.keys.set('made-1', key);  // for the token; the hub's key file stays as it is
    afterwards(() => hub.keys.delete('made-1'));
    const device = await openMqtt(hub, 'made-1', afterwards);
    await device.subscribe('$iothub/twin/res/#');
    assert.equal((await device.ask('$iothub/twin/PATCH/properties/reported/', '{"born":true}', '1')).status, 204);
    assert.deepEqual(properties((await registry.getTwin('made-1')).responseBody.properties.reported), { born: true });
    assert.equal((await registry.get('made-1')).responseBody.authentication.symmetricKey.primaryKey, key);
    await registry.delete('made-1');
    await until(() => device.closed, 'the end of the connection');
    await rejection(openMqtt(hub, 'made-1', afterwards), 'a deleted device');
    assert.equal((await rejection(registry.getTwin('made-1'), 'a deleted twin')).response.statusCode, 404);
  });
}
