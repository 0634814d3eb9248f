// Reports a second with --puback early and committed: node rate.mjs BUILD_FOLDER WORK_FOLDER SECONDS. See rate.sh.

import path from 'node:path';
import { pause } from './support/harness.mjs';
import { freePort, Hub } from './support/hub.mjs';
import { openMqtt } from './support/clients.mjs';

const [build, work, seconds] = process.argv.slice(2);
const devices = [...Array(8).keys()].map((i) => `device-${i}`);
const underWay = 8, measurements = 5;

/// Reports one after another until told to stop; each waits for its reply and its PUBACK.
async function report(device, lane, state) {
  for (let n = 0; !state.stopping; ++n) {
    const id = `${lane}-${n}`;
    const replied = new Promise((resolve) => device.waiting.set(id, resolve));
    await device.publish(`$iothub/twin/PATCH/properties/reported/?$rid=${id}`, `{"lane_${lane}":${n}}`, { qos: 1 });
    await replied;
    state.done += 1;
  }
}

for (const mode of ['early', 'committed']) {
  const hub = await Hub.create(path.join(work, 'hub'), path.resolve(build), devices, ['--puback', mode, '--https-port', String(await freePort())]);
  const closing = [];
  const state = { done: 0, stopping: false };
  const lanes = [];
  for (const name of devices) {
    const device = await openMqtt(hub, name, (undo) => closing.push(undo));
    device.waiting = new Map();
    device.client.on('message', (topic) => {
      const id = /^\$iothub\/twin\/res\/204\/\?\$rid=([^&]*)/.exec(topic)?.[1];
      device.waiting.get(id)?.();
      device.waiting.delete(id);
    });
    device.client.setMaxListeners(0);
    await device.subscribe('$iothub/twin/res/#');
    for (let lane = 0; lane < underWay; ++lane) lanes.push(report(device, lane, state));
  }
  await pause(1000);
  const rates = [];
  for (let i = 0; i < measurements; ++i) {
    const [before, start] = [state.done, process.hrtime.bigint()];
    await pause(Number(seconds) * 1000);
    rates.push(Math.round((state.done - before) / (Number(process.hrtime.bigint() - start) / 1e9)));
  }
  state.stopping = true;
  await Promise.all(lanes);
  for (const close of closing) await close();
  await hub.stop();
  rates.sort((a, b) => a - b);
  console.log(`--puback ${mode}: ${rates[2]} reports a second (${rates[0]} to ${rates[4]} in ${measurements} measurements)`);
}
process.exit(0);
