// Child processes that do not outlive the tests.

import { spawn } from 'node:child_process';

const children = new Set();

/// As spawn() of node:child_process.
export function startChild(command, args, options) {
  const child = spawn(command, args, options);
  children.add(child);
  child.on('exit', () => children.delete(child));
  return child;
}

process.on('exit', () => { for (const child of children) child.kill('SIGKILL'); });
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => process.exit(2));
