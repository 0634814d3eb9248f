// Runs everything: node main.mjs BUILD_FOLDER WORK_FOLDER [PART OF A TEST'S NAME]

import path from 'node:path';
import { onlyTests, runTests } from './support/harness.mjs';
import { Hub } from './support/hub.mjs';
import { deviceTests } from './devices.mjs';

const [build, work, only] = process.argv.slice(2);
if (only) onlyTests(only);

const names = ['fresh', 'reporter', 'follower', 'arrays', 'careless', 'left', 'right', 'gateway', 'gateway/pump', 'sleeper'];
const hub = await Hub.create(path.join(work, 'hub'), path.resolve(build), names);
let result = { passed: 0, failed: 1 };
try {
  deviceTests(hub);
  result = await runTests();
} finally {
  await hub.stop();
  if (result.failed !== 0) console.log(hub.log());
}
console.log(`${result.passed} passed, ${result.failed} failed`);
process.exit(result.failed === 0 ? 0 : 1);
