// Microsoft's device client by hand: CONNECTION_STRING=... node try.mjs CA_FILE. See try.sh.

import { createRequire } from 'node:module';
import fs from 'node:fs';
import readline from 'node:readline';

const require = createRequire(import.meta.url);
const { Client } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');

const [ca] = process.argv.slice(2);
const client = Client.fromConnectionString(process.env.CONNECTION_STRING, Mqtt);
await client.setOptions({ ca: fs.readFileSync(ca, 'utf8') });
await client.open();
const twin = await client.getTwin();
console.log(`connected; reported: ${JSON.stringify(twin.properties.reported)}`);
twin.on('properties.desired', (delta) => console.log(`desired: ${JSON.stringify(delta)}`));
for await (const line of readline.createInterface({ input: process.stdin })) {
  if (line.trim() === '') continue;
  try {
    await new Promise((resolve, reject) => {
      twin.properties.reported.update(JSON.parse(line), (error) => (error ? reject(error) : resolve()));
    });
    console.log('reported');
  } catch (error) {
    console.log(`refused: ${error.message}`);
  }
}
await client.close();
