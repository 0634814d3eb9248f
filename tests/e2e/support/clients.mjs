// Microsoft's device client, and a bare MQTT client for what that one would never do.

import { createRequire } from 'node:module';
import { until } from './harness.mjs';
import { sasToken } from './hub.mjs';

const require = createRequire(import.meta.url);
const { Client } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const mqtt = require('mqtt');

/// Microsoft's client of a device, open. `afterwards` closes it.
export async function openDevice(hub, device, afterwards, connectionString = hub.connectionString(device)) {
  const client = Client.fromConnectionString(connectionString, Mqtt);
  await client.setOptions({ ca: hub.ca });
  client.on('error', () => {});  // told by the calls as well
  afterwards(() => client.close().catch(() => {}));
  await client.open();
  return client;
}

/// Its reported.update() and get() as promises.
export function report(twin, patch) {
  return new Promise((resolve, reject) => {
    twin.properties.reported.update(patch, (error) => (error ? reject(error) : resolve()));
  });
}
export function refresh(twin) {
  return new Promise((resolve, reject) => {
    twin.get((error) => (error ? reject(error) : resolve(twin)));
  });
}

/// A bare MQTT client with the credentials of a device, any of which can be given otherwise.
export async function openMqtt(hub, device, afterwards, options = {}) {
  const client = mqtt.connect({
    host: 'localhost', port: hub.port, protocol: 'mqtts', ca: hub.ca, protocolVersion: 4, reconnectPeriod: 0, connectTimeout: 5000,
    clientId: device, username: `localhost/${device}/?api-version=2021-04-12`,
    password: sasToken(`localhost/devices/${device}`, hub.keys.get(device) ?? 'bm9uZQ=='), clean: true, ...options });
  const bare = { client, messages: [], closed: false };
  client.on('message', (topic, payload) => bare.messages.push({ topic, payload: payload.toString() }));
  client.on('close', () => { bare.closed = true; });
  afterwards(() => new Promise((resolve) => client.end(true, {}, resolve)));
  await new Promise((resolve, reject) => {
    client.on('connect', resolve).on('error', reject).on('close', () => reject(new Error('closed')));
  });
  // A call whose connection ends would wait for ever.
  const connected = (call) => new Promise((resolve, reject) => {
    const ended = () => reject(new Error('closed'));
    if (bare.closed) return ended();
    client.once('close', ended);
    return call((error, answer) => {
      client.removeListener('close', ended);
      return error ? reject(error) : resolve(answer);
    });
  });
  bare.subscribe = async (filter, qos = 0) => (await connected((done) => client.subscribe(filter, { qos }, done)))[0]?.qos;
  bare.unsubscribe = (filter) => connected((done) => client.unsubscribe(filter, done));
  bare.publish = (topic, payload, sending = {}) => connected((done) => client.publish(topic, payload, { qos: 0, ...sending }, done));
  /// The answer to a twin request, by its id.
  bare.ask = async (topic, payload, id) => {
    await bare.publish(`${topic}?$rid=${id}`, payload);
    const answer = await until(() => {
      if (bare.closed) throw new Error('closed');
      return bare.messages.find((m) => m.topic.includes(`$rid=${id}`));
    }, `an answer to ${id}`, 5);
    return { status: Number(answer.topic.split('/')[3]), topic: answer.topic, payload: answer.payload };
  };
  return bare;
}
