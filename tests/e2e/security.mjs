// What a stranger and a neighbour cannot do.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import tls from 'node:tls';
import { test, until, rejection, pause } from './support/harness.mjs';
import { properties, sasToken } from './support/hub.mjs';
import { openDevice, openMqtt } from './support/clients.mjs';

export const securityDevices = ['honest', 'thief', 'victim', 'brief', 'rolling'];

export function securityTests(hub) {
  const refusedLogin = (what, options, device = 'honest') => {
    test(`refused: ${what}`, async (afterwards) => {
      const error = await rejection(openMqtt(hub, device, afterwards, options()), what);
      assert.match(error.message, /Not authorized|closed/);
    });
  };
  const expired = () => Math.floor(Date.now() / 1000) - 1;
  const resource = 'localhost/devices/honest';
  refusedLogin('a wrong key', () => ({ password: sasToken(resource, 'd3Jvbmc=') }));
  refusedLogin("another device's key", () => ({ password: sasToken(resource, hub.keys.get('thief')) }));
  refusedLogin('an expired token', () => ({ password: hub.token('honest', { expiry: expired() }) }));
  refusedLogin('a token whose expiry was put off afterwards', () => ({
    password: hub.token('honest', { expiry: expired() }).replace(/se=\d+/, 'se=4102444800') }));
  refusedLogin("another device's token", () => ({ password: hub.token('thief') }));
  refusedLogin("another device's token and user name", () => ({
    password: hub.token('thief'), username: 'localhost/thief/?api-version=2021-04-12' }));
  refusedLogin('a token for another hub', () => ({ password: sasToken('elsewhere/devices/honest', hub.keys.get('honest')) }));
  refusedLogin("the service's policy", () => ({
    password: sasToken('localhost', hub.servicePolicyKey, { policy: 'service' }) }));
  refusedLogin('a user name of another hub', () => ({ username: 'elsewhere/honest/?api-version=2021-04-12' }));
  refusedLogin('no user name and no password', () => ({ username: undefined, password: undefined }));
  refusedLogin('a password that is no token', () => ({ password: 'SharedAccessSignature sr=&sig=&se=' }));
  refusedLogin('a device that nobody knows', () => ({ password: sasToken('localhost/devices/nobody', 'a2V5') }), 'nobody');
  refusedLogin('a client id with wildcards', () => ({
    username: 'localhost/+/?api-version=2021-04-12', password: sasToken('localhost/devices/+', hub.keys.get('honest')) }), '+');

  test("Microsoft's client is told of a wrong key", async (afterwards) => {
    const string = hub.connectionString('honest', Buffer.from('wrong').toString('base64'));
    const error = await rejection(openDevice(hub, 'honest', afterwards, string), 'a wrong key');
    assert.equal(error.name, 'UnauthorizedError');
  });

  test('without the certificate authority there is no connection', async (afterwards) => {
    const error = await rejection(openMqtt(hub, 'honest', afterwards, { ca: tls.rootCertificates.slice(0, 1) }), 'an unknown authority');
    assert.match(error.message, /certificate/);
    await new Promise((resolve, reject) => {  // and none without TLS 1.2
      const socket = tls.connect({ port: hub.port, host: 'localhost', ca: hub.ca, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' });
      socket.on('secureConnect', () => reject(new Error('TLS 1.1 was accepted'))).on('error', resolve);
    });
  });

  test("a last will of somebody who was not let in is not published", async (afterwards) => {
    const before = (await hub.twin('victim')).version;
    await rejection(openMqtt(hub, 'honest', afterwards, { password: 'no',
      will: { topic: '$iothub/twin/PATCH/properties/reported/?$rid=w', payload: '{"will":1}', qos: 0, retain: false } }), 'the login');
    assert.equal((await hub.twin('victim')).version, before);
  });

  test('foreign and catch-all filters are refused, the own ones granted', async (afterwards) => {
    const thief = await openMqtt(hub, 'thief', afterwards);
    for (const filter of ['#', '+/#', '+', '$iothub/#', '$iothub/twin/#', '$iothub/+/res/#', '$iothub/twin/res', '$iothub/twin/res/+',
      '$iothub/twin/GET/#', '$iothub/twin/PATCH/properties/reported/#', '$SYS/#', '$share/g/$iothub/twin/res/#', '$share/g/#',
      'devices/#', 'devices/+/messages/devicebound/#', 'devices/victim/messages/devicebound/#', 'devices/victim/messages/events/#',
      'devices/thief/messages/events/#', '/devices/thief/messages/devicebound/#', '$iothub/twin/PATCH/properties/desired/+/#']) {
      assert.equal(await thief.subscribe(filter), 128, filter);
    }
    for (const filter of ['$iothub/twin/res/#', '$iothub/twin/PATCH/properties/desired/#', '$iothub/methods/POST/#',
      'devices/thief/messages/devicebound/#']) {
      assert.equal(await thief.subscribe(filter), 0, filter);
    }
  });

  test('nobody can forge an answer, a notification or telemetry of another', async (afterwards) => {
    const victim = await openMqtt(hub, 'victim', afterwards);
    await victim.subscribe('$iothub/twin/res/#');
    await victim.subscribe('$iothub/twin/PATCH/properties/desired/#');
    await victim.subscribe('devices/victim/messages/devicebound/#');
    const thief = await openMqtt(hub, 'thief', afterwards);
    for (const topic of ['$iothub/twin/res/200/?$rid=1', '$iothub/twin/res/204/?$rid=1&$version=9',
      '$iothub/twin/PATCH/properties/desired/?$version=9', '$iothub/twin/PATCH/properties/desired', '$iothub/methods/POST/boom/?$rid=1',
      'devices/victim/messages/devicebound/', 'devices/victim/messages/events/', '$SYS/broker/connection/x/state', '$CONTROL/dynamic-security/v1']) {
      await thief.publish(topic, '{"forged":true}', { qos: topic.startsWith('$CONTROL') ? 0 : 1 });
    }
    await thief.publish('devices/thief/messages/events/', 'kept?', { qos: 1, retain: true });
    await thief.subscribe('$iothub/twin/res/#');
    assert.equal((await thief.ask('$iothub/twin/GET/', '', 'after')).status, 200);  // all before has been seen to
    await pause(100);
    assert.deepEqual(victim.messages, []);
    assert.deepEqual(properties((await hub.twin('victim')).properties.desired), {});
  });

  test('a twin request reaches the twin of who asks, whatever the payload says', async (afterwards) => {
    const thief = await openMqtt(hub, 'thief', afterwards);
    await thief.subscribe('$iothub/twin/res/#');
    const answer = await thief.ask('$iothub/twin/PATCH/properties/reported/', '{"deviceId":"victim","stolen":true}', 'mine');
    assert.equal(answer.status, 204);
    assert.deepEqual(properties((await hub.twin('victim')).properties.reported), {});
    assert.equal((await hub.twin('thief')).properties.reported.stolen, true);
  });

  test('hostile topics and payloads are answered or passed over, and the hub lives', async (afterwards) => {
    const thief = await openMqtt(hub, 'thief', afterwards);
    await thief.subscribe('$iothub/twin/res/#');
    const patch = '$iothub/twin/PATCH/properties/reported/';
    const deep = 30000;
    for (const [payload, status] of [['', 400], ['{', 400], ['[]', 400], ['null', 400], ['{"a":1}x', 400], ['{"a":1,"a":2}', 400],
      ['{"\\u0024version":1}', 400], ['{"a":"\\ud800"}', 400], [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400],
      ['{"a":1e999}', 400], [`${'{"a":'.repeat(deep)}1${'}'.repeat(deep - 20000)}`, 400], ['[' .repeat(deep), 400], ['{"a":1}\0', 400]]) {
      const id = `h${Math.random()}`;
      const answer = await thief.ask(patch, payload, id);
      assert.equal(answer.status, status, String(payload).slice(0, 40));
      assert.ok(JSON.parse(answer.payload).errorCode);
    }
    for (const topic of ['$iothub/twin/GET/', '$iothub/twin/GET/?', '$iothub/twin/GET/?$rid=', `${patch}?$rid=1&$rid=2`,
      `${patch}?$version=-1&$rid=3`, `${patch}?$rid=4&$version=99999999999999999999`, `$iothub/twin/GET/?$rid=${'r'.repeat(60000)}`,
      '$iothub/twin/GET/x', `${patch}${'/'.repeat(150)}`]) {
      await thief.publish(topic, '{}');
    }
    assert.equal((await thief.ask(patch, '{"still":"here"}', 'alive')).status, 204);
    await thief.publish(`${patch}?$rid=stale&$version=1`, '{"x":1}');
    await until(() => thief.messages.some((m) => m.topic.startsWith('$iothub/twin/res/412/?$rid=stale')), 'the answer to a stale version');
  });

  test('the hub ends a connection whose token expires', async (afterwards) => {
    const device = await openMqtt(hub, 'brief', afterwards, { password: hub.token('brief', { expiry: Math.floor(Date.now() / 1000) + 2 }) });
    await until(() => device.closed, 'the end of the connection', 6);
    await openMqtt(hub, 'brief', afterwards);
  });

  test('a key file read anew ends who is not in it any more, and leaves the others', async (afterwards) => {
    const rolling = await openMqtt(hub, 'rolling', afterwards);
    const honest = await openMqtt(hub, 'honest', afterwards);
    await honest.subscribe('$iothub/twin/PATCH/properties/desired/#');
    const old = hub.keys.get('rolling');
    hub.keys.set('rolling', Buffer.from('the new key of rolling').toString('base64'));
    hub.writeKeys();
    hub.process.kill('SIGHUP');
    await until(() => rolling.closed, 'the end of the connection');
    await openMqtt(hub, 'rolling', afterwards);
    await rejection(openMqtt(hub, 'rolling', afterwards, { password: sasToken('localhost/devices/rolling', old) }), 'the old key');
    await hub.desire('honest', { still: 'told' });
    await until(() => honest.messages.length === 1, 'the notification');
    assert.equal(honest.closed, false);
    // A key file that cannot be understood changes nothing.
    fs.writeFileSync(`${hub.dir}/keys`, 'device rolling not-base64!\n');
    hub.process.kill('SIGHUP');
    await until(() => hub.log().includes('the old keys stay'), 'the complaint');
    await openMqtt(hub, 'rolling', afterwards);
    hub.writeKeys();
    hub.process.kill('SIGHUP');
  });

  test('a newer connection of the same client takes over, and is the one that is told', async (afterwards) => {
    const older = await openMqtt(hub, 'honest', afterwards);
    await older.subscribe('$iothub/twin/PATCH/properties/desired/#');
    const newer = await openMqtt(hub, 'honest', afterwards);
    await until(() => older.closed, 'the end of the older one');
    await hub.desire('honest', { to: 'nobody' });  // the newer one has not subscribed
    await newer.subscribe('$iothub/twin/PATCH/properties/desired/#');
    await hub.desire('honest', { to: 'the newer' });
    await until(() => newer.messages.length === 1, 'the notification');
    assert.equal(JSON.parse(newer.messages[0].payload).to, 'the newer');
    await newer.unsubscribe('$iothub/twin/PATCH/properties/desired/#');
    await hub.desire('honest', { to: 'nobody again' });
    await newer.subscribe('$iothub/twin/res/#');
    await newer.ask('$iothub/twin/GET/', '', 'end');
    assert.equal(newer.messages.filter((m) => m.topic.includes('desired')).length, 1);
  });

  test('a session that was kept keeps its subscriptions', async (afterwards) => {
    const first = await openMqtt(hub, 'honest', afterwards, { clean: false });
    await first.subscribe('$iothub/twin/PATCH/properties/desired/#');
    await new Promise((resolve) => first.client.end(false, {}, resolve));
    const second = await openMqtt(hub, 'honest', afterwards, { clean: false });
    await hub.desire('honest', { kept: Date.now() });
    await until(() => second.messages.length === 1, 'the notification');
  });

  test('the service side refuses who has no policy of its own', async () => {
    const raw = (authorization, target = '/twins/honest') => hub.request('GET', target, undefined, { Authorization: authorization }).then((a) => a.status);
    assert.equal(await raw(''), 401);
    assert.equal(await raw(hub.token('honest')), 401);
    assert.equal(await raw(sasToken('localhost', hub.keys.get('honest'), { policy: 'honest' })), 401);
    assert.equal(await raw(sasToken('localhost', 'd3Jvbmc=', { policy: 'service' })), 401);
    assert.equal(await raw(sasToken('elsewhere', hub.servicePolicyKey, { policy: 'service' })), 401);
    assert.equal(await raw(sasToken('localhost', hub.servicePolicyKey, { policy: 'service', expiry: expired() })), 401);
    assert.equal(await raw(sasToken('localhost', hub.servicePolicyKey, { policy: 'service' })), 200);
  });

  test('hostile requests to the service side are answered, and the hub lives', async () => {
    const status = (method, target, body) => hub.request(method, target, body).then((a) => a.status);
    assert.equal(await status('GET', '/'), 404);
    assert.equal(await status('GET', '/twins'), 404);
    assert.equal(await status('GET', '/twins/'), 400);
    assert.equal(await status('GET', '/twins/no%2Fslash'), 400);
    assert.equal(await status('GET', '/twins/%zz'), 400);
    assert.equal(await status('GET', '/twins/unknown'), 404);
    assert.equal(await status('GET', `/twins/${'x'.repeat(7000)}`), 400);
    assert.equal(await status('DELETE', '/twins/honest'), 405);
    assert.equal(await status('PATCH', '/twins/honest', { desierd: {} }), 400);
    assert.equal(await status('PATCH', '/twins/honest', { properties: { desired: { $x: 1 } } }), 400);
    assert.equal(await status('PUT', '/twins/honest', { properties: { desired: { x: null } } }), 400);
    const big = Object.fromEntries([...Array(9).keys()].map((i) => [`s${i}`, 'x'.repeat(4000)]));
    assert.equal(await status('PATCH', '/twins/honest', { properties: { desired: big } }), 403);
    const tooLong = await new Promise((resolve) => {  // refused while it is sent
      const request = https.request({ host: '127.0.0.1', port: hub.httpsPort, ca: hub.ca, method: 'PATCH', path: '/twins/honest' },
        (response) => { resolve(response.statusCode); request.destroy(); });
      request.on('error', () => resolve('closed')).end('x'.repeat(1 << 20));
    });
    assert.ok(tooLong === 413 || tooLong === 'closed', String(tooLong));
    assert.equal(await status('GET', '/twins/honest'), 200);
  });
}
