// Devices and modules made, changed, disabled and removed by the back end: over REST, and with Microsoft's service client
// where the hub has port 443.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { rejection, test, until } from './support/harness.mjs';
import { properties, sasToken } from './support/hub.mjs';
import { openMqtt } from './support/clients.mjs';

const require = createRequire(import.meta.url);

export const identityDevices = ['listed'];

const keysOf = (identity) => identity.authentication.symmetricKey;

/// A connection of a device or module with this key.
function open(hub, clientId, key, afterwards) {
  const [device, module] = clientId.split('/');
  const resource = `localhost/devices/${device}` + (module ? `/modules/${module}` : '');
  return openMqtt(hub, clientId, afterwards, { password: sasToken(resource, key) });
}

export function identityTests(hub) {
  const remove = (device) => hub.request('DELETE', `/devices/${device}`);

  test('a device without keys gets two of its own, and connects with either', async (afterwards) => {
    afterwards(() => remove('keyless'));
    const made = await hub.request('PUT', '/devices/keyless?api-version=2021-04-12', { deviceId: 'keyless' });
    assert.equal(made.status, 200);
    assert.equal(made.etag, `"${made.body.etag}"`);
    const { primaryKey, secondaryKey } = keysOf(made.body);
    for (const key of [primaryKey, secondaryKey]) assert.equal(Buffer.from(key, 'base64').length, 32);
    assert.notEqual(primaryKey, secondaryKey);
    for (const key of [primaryKey, secondaryKey]) {
      const device = await open(hub, 'keyless', key, afterwards);
      await device.subscribe('$iothub/twin/res/#');
      assert.equal((await device.ask('$iothub/twin/GET/', '', 'k')).status, 200);
    }
    assert.deepEqual((await hub.request('GET', '/devices/keyless')).body, made.body);
  });

  test('a disabled device is out at once, its module too, and cannot come back until it is enabled', async (afterwards) => {
    afterwards(() => remove('suspect'));
    const key = keysOf((await hub.request('PUT', '/devices/suspect', {})).body).primaryKey;
    const moduleKey = keysOf((await hub.request('PUT', '/devices/suspect/modules/m', {})).body).primaryKey;
    const [device, module, other] = [await open(hub, 'suspect', key, afterwards), await open(hub, 'suspect/m', moduleKey, afterwards),
      await openMqtt(hub, 'listed', afterwards)];
    const disabled = await hub.request('PUT', '/devices/suspect', { deviceId: 'suspect', status: 'disabled', statusReason: 'stolen' }, { 'If-Match': '"*"' });
    assert.equal(disabled.body.status, 'disabled');
    await until(() => device.closed && module.closed, 'the end of both connections', 5);
    assert.equal(other.closed, false);
    await rejection(open(hub, 'suspect', key, afterwards), 'the disabled device');
    await rejection(open(hub, 'suspect/m', moduleKey, afterwards), 'the module of the disabled device');
    assert.equal((await hub.twin('suspect')).status, 'disabled');
    await hub.request('PUT', '/devices/suspect', { status: 'enabled' }, { 'If-Match': '*' });
    await open(hub, 'suspect', key, afterwards);
    await open(hub, 'suspect/m', moduleKey, afterwards);
  });

  test('a stale etag changes and removes nothing', async (afterwards) => {
    afterwards(() => remove('shared'));
    const first = await hub.request('PUT', '/devices/shared', {});
    const second = await hub.request('PUT', '/devices/shared', { statusReason: 'mine' }, { 'If-Match': first.etag });
    assert.equal(second.status, 200);
    for (const [method, body] of [['PUT', { status: 'disabled' }], ['DELETE', undefined]]) {
      const stale = await hub.request(method, '/devices/shared', body, { 'If-Match': first.etag });
      assert.equal(stale.status, 412);
      assert.equal(stale.headers['iothub-errorcode'], 'PreconditionFailed');
    }
    assert.deepEqual((await hub.request('GET', '/devices/shared')).body, second.body);
    assert.equal((await hub.request('DELETE', '/devices/shared', undefined, { 'If-Match': `"x", ${second.etag}` })).status, 204);
  });

  test('modules need their device, and are gone with it', async (afterwards) => {
    const orphan = await hub.request('PUT', '/devices/nobody/modules/m', {});
    assert.equal(orphan.status, 404);
    assert.equal(orphan.headers['iothub-errorcode'], 'DeviceNotFound');
    assert.equal((await hub.request('GET', '/twins/nobody')).status, 404);
    await hub.request('PUT', '/devices/parent', {});
    const key = keysOf((await hub.request('PUT', '/devices/parent/modules/m', {})).body).primaryKey;
    const module = await open(hub, 'parent/m', key, afterwards);
    assert.equal((await remove('parent')).status, 204);
    await until(() => module.closed, "the end of the module's connection", 5);
    await rejection(open(hub, 'parent/m', key, afterwards), 'a module without its device');
    for (const target of ['/devices/parent', '/twins/parent', '/devices/parent/modules/m', '/twins/parent/modules/m']) {
      assert.equal((await hub.request('GET', target)).status, 404, target);
    }
    afterwards(() => remove('parent'));
    await hub.request('PUT', '/devices/parent', {});
    await rejection(open(hub, 'parent/m', key, afterwards), 'a module of the device of that name before');
  });

  test('a device that is made again is notified in the session that the broker kept, also of MQTT 5', async (afterwards) => {
    afterwards(() => remove('returning'));
    const options = { 4: { clean: false }, 5: { protocolVersion: 5, clean: true, properties: { sessionExpiryInterval: 600 } } };
    for (const version of [4, 5]) {
      const made = () => hub.request('PUT', '/devices/returning', {}).then((answer) => keysOf(answer.body).primaryKey);
      const come = (key, more) => openMqtt(hub, 'returning', afterwards,
        { password: sasToken('localhost/devices/returning', key), ...options[version], ...more });
      const notified = async (device) => {
        await hub.desire('returning', { at: version });
        await until(() => device.messages.length === 1, `the notification in MQTT ${version}`, 5);
      };
      const first = await come(await made());
      await first.subscribe('$iothub/twin/PATCH/properties/desired/#');
      assert.equal((await remove('returning')).status, 204);
      assert.equal((await remove('returning')).status, 404);
      await until(() => first.closed, 'the end of the connection', 5);
      const second = await come(await made(), { clean: false });
      await notified(second);
      await remove('returning');
    }
  });

  test('what the hub does not have says so, and only a missing device is a missing device', async () => {
    for (const [method, target] of [['POST', '/devices/query'], ['POST', '/devices'], ['GET', '/devices/'], ['GET', '/devices?top=10'],
      ['GET', '/devices/listed/modules'], ['POST', '/twins/listed/methods'], ['GET', '/jobs/v2/query'], ['GET', '/configurations'],
      ['GET', '/statistics/devices'], ['GET', '/digitaltwins/listed']]) {
      const answer = await hub.request(method, `${target}${target.includes('?') ? '&' : '?'}api-version=2021-04-12`, method === 'POST' ? {} : undefined);
      assert.equal(answer.status, 501, target);
      assert.match(answer.body.Message, /^ErrorCode:NotImplemented;the hub /, target);
      const stranger = await hub.request(method, target, undefined, { Authorization: '' });
      assert.equal(stranger.status, 401, target);
    }
    const nothing = await hub.request('GET', '/nothing/here');
    assert.deepEqual([nothing.status, nothing.headers['iothub-errorcode']], [404, 'GenericNotFound']);
    const nobody = await hub.request('GET', '/twins/nobody');
    assert.deepEqual([nobody.status, nobody.headers['iothub-errorcode']], [404, 'DeviceNotFound']);
  });

  test('the files with keys are for the hub alone', () => {
    for (const name of ['keys', 'ca.key', 'server.key', 'twins.sqlite', 'twins.sqlite-wal', 'twins.sqlite-shm']) {
      assert.equal(fs.statSync(path.join(hub.dir, name)).mode & 0o777, 0o600, name);
    }
  });
}

/// To be run last: they stop the hub.
export function damageTests(hub) {
  test('one changed byte of a stored twin: 500 and a line in the log, until DELETE and PUT', async (afterwards) => {
    afterwards(() => hub.request('DELETE', '/devices/fragile'));
    const key = keysOf((await hub.request('PUT', '/devices/fragile', {})).body).primaryKey;
    await hub.request('PATCH', '/twins/fragile', { tags: { mark: 'the tag of fragile' } });
    await hub.stop();
    const file = path.join(hub.dir, 'twins.sqlite');
    const bytes = fs.readFileSync(file);
    const at = bytes.indexOf('the tag of fragile');
    assert.ok(at > 0);
    bytes[at] ^= 1;
    fs.writeFileSync(file, bytes);
    await hub.start();
    const logged = () => hub.log().split('\n').filter((line) => line.includes('what is stored of fragile cannot be read')).length;
    const answer = await hub.request('GET', '/twins/fragile');
    assert.deepEqual([answer.status, answer.headers['iothub-errorcode']], [500, 'ServerError']);
    await until(() => logged() === 1, 'the line in the log');
    const device = await open(hub, 'fragile', key, afterwards);
    await device.subscribe('$iothub/twin/res/#');
    assert.equal((await device.ask('$iothub/twin/GET/', '', 'g')).status, 500);
    assert.equal((await device.ask('$iothub/twin/PATCH/properties/reported/', '{"x":1}', 'p')).status, 500);
    for (let n = 0; n < 5; ++n) assert.equal((await device.ask('$iothub/twin/GET/', '', `again${n}`)).status, 500);
    assert.equal(logged(), 1);
    assert.equal((await hub.request('GET', '/twins/listed')).status, 200);
    assert.equal((await hub.request('GET', '/devices/fragile')).body.authentication.symmetricKey.primaryKey, key);
    assert.equal((await hub.request('DELETE', '/devices/fragile')).status, 204);
    assert.equal((await hub.request('PUT', '/devices/fragile', {})).status, 200);
    assert.equal((await hub.request('GET', '/twins/fragile')).body.tags, undefined);
  }, { seconds: 60 });
}

/// With Microsoft's service client.
export function identityRegistryTests(hub) {
  const { Registry } = require('azure-iothub');
  const registry = Registry.fromConnectionString(
    `HostName=localhost;SharedAccessKeyName=service;SharedAccessKey=${hub.servicePolicyKey}`);

  test('the registry makes a device without keys, as its first tutorial does', async (afterwards) => {
    const { responseBody: made } = await registry.create({ deviceId: 'njs1' });
    afterwards(() => registry.delete('njs1').catch(() => {}));
    const device = await open(hub, 'njs1', keysOf(made).primaryKey, afterwards);
    await device.subscribe('$iothub/twin/res/#');
    assert.equal((await device.ask('$iothub/twin/PATCH/properties/reported/', '{"born":true}', '1')).status, 204);
    assert.deepEqual(properties((await registry.getTwin('njs1')).responseBody.properties.reported), { born: true });

    const { responseBody: disabled } = await registry.update({ deviceId: 'njs1', status: 'disabled' });
    assert.equal(disabled.status, 'disabled');
    assert.deepEqual(keysOf(disabled), keysOf(made));
    await until(() => device.closed, 'the end of the connection', 5);
    await rejection(open(hub, 'njs1', keysOf(made).primaryKey, afterwards), 'the disabled device');
    assert.equal((await registry.get('njs1')).responseBody.status, 'disabled');
    assert.equal((await registry.getTwin('njs1')).responseBody.status, 'disabled');
    await registry.update({ deviceId: 'njs1', status: 'enabled' });
    await open(hub, 'njs1', keysOf(made).primaryKey, afterwards);
  });

  test('the registry makes, changes and removes a module, once for an etag', async (afterwards) => {
    await registry.create({ deviceId: 'njs2' });
    afterwards(() => registry.delete('njs2').catch(() => {}));
    await registry.addModule({ deviceId: 'njs2', moduleId: 'm' });
    const { responseBody: module } = await registry.getModule('njs2', 'm');
    assert.equal(module.moduleId, 'm');
    await registry.updateModule(module, false);
    const error = await rejection(registry.updateModule(module, false), 'the old etag');
    assert.equal(error.name, 'InvalidEtagError');
    await registry.updateModule(module, true);
    const connection = await open(hub, 'njs2/m', keysOf(module).primaryKey, afterwards);
    await registry.removeModule('njs2', 'm');
    await until(() => connection.closed, 'the end of the connection', 5);
    assert.equal((await rejection(registry.getModule('njs2', 'm'), 'a removed module')).response.statusCode, 404);
  });

  test("the registry's errors have their names", async () => {
    const named = async (promise, what) => (await rejection(promise, what)).name;
    assert.equal(await named(registry.getTwin('nobody'), 'nobody'), 'DeviceNotFoundError');
    assert.equal(await named(registry.get('nobody'), 'nobody'), 'DeviceNotFoundError');
    assert.equal(await named(registry.update({ deviceId: 'nobody', status: 'enabled' }), 'nobody'), 'DeviceNotFoundError');
    assert.equal(await named(registry.delete('nobody'), 'nobody'), 'DeviceNotFoundError');
    assert.equal(await named(registry.addModule({ deviceId: 'nobody', moduleId: 'm' }), 'nobody'), 'DeviceNotFoundError');
    assert.equal(await named(registry.create({ deviceId: 'listed' }), 'a device of the key file'), 'DeviceAlreadyExistsError');
    const error = await rejection(registry.delete('listed'), 'a device of the key file');
    assert.equal(error.name, 'ArgumentError');
    assert.match(error.message, /key file/);
    for (const missing of [() => registry.list(), () => registry.createQuery('SELECT * FROM devices').nextAsTwin(),
      () => registry.getModulesOnDevice('listed'), () => registry.getRegistryStatistics(), () => registry.addDevices([{ deviceId: 'x' }])]) {
      assert.equal((await rejection(missing(), 'what is missing')).response.statusCode, 501);
    }
  });
}
