// Runs everything: node main.mjs BUILD_FOLDER WORK_FOLDER CUTS [PART OF A TEST'S NAME]. See run.sh.

import path from 'node:path';
import { onlyTests, runTests } from './support/harness.mjs';
import { Hub } from './support/hub.mjs';
import { acknowledgementDevices, acknowledgementTests } from './acknowledgement.mjs';
import { deviceDevices, deviceTests } from './devices.mjs';
import { programDevices, programTests } from './device_program.mjs';
import { httpDevices, httpTests } from './http.mjs';
import { damageTests, identityDevices, identityRegistryTests, identityTests } from './identities.mjs';
import { registryDevices, registryTests } from './registry.mjs';
import { restartDevices, restartTests } from './restart.mjs';
import { securityDevices, securityTests } from './security.mjs';

const [build, work, cuts, only] = process.argv.slice(2);
if (only) onlyTests(only);

const names = [...acknowledgementDevices, ...deviceDevices, ...httpDevices, ...identityDevices, ...programDevices, ...registryDevices, ...restartDevices,
  ...securityDevices];
const hub = await Hub.create(path.join(work, 'hub'), path.resolve(build), names);
let result = { passed: 0, failed: 1 };
try {
  deviceTests(hub);
  if (hub.httpsPort === 443) {
    registryTests(hub);
    identityRegistryTests(hub);
  } else {
    console.log("SKIPPED Microsoft's service client: it needs port 443 of 127.0.0.1, which this user cannot have or somebody has");
  }
  identityTests(hub);
  httpTests(hub);
  securityTests(hub);
  programTests(hub, Number(cuts));
  restartTests(hub);
  acknowledgementTests(hub, work);
  damageTests(hub);
  result = await runTests();
} finally {
  await hub.stop();
  if (result.failed !== 0) console.log(hub.log().slice(-20000));
}
console.log(`${result.passed} passed, ${result.failed} failed`);
process.exit(result.failed === 0 ? 0 : 1);
