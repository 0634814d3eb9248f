// A TCP proxy that breaks connections, in the ways that networks do.

import { once } from 'node:events';
import net from 'node:net';

export class CuttingProxy {
  /// Hands on to `port` of 127.0.0.1. `random` gives numbers from 0 to 1.
  static async create(port, random) {
    const proxy = new CuttingProxy();
    proxy.random = random;
    proxy.cuts = 0;
    proxy.cutting = false;
    proxy.longest = 150;  // milliseconds that a connection lives
    proxy.server = net.createServer((outside) => proxy.join(outside, net.connect(port, '127.0.0.1')));
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    proxy.port = proxy.server.address().port;
    proxy.sockets = new Set();
    return proxy;
  }

  join(outside, inside) {
    let muted = false;  // takes everything and hands on nothing
    const pair = [outside, inside];
    const end = () => { for (const socket of pair) socket.destroy(); };
    for (const [from, to] of [pair, [...pair].reverse()]) {
      this.sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (bytes) => {
        if (muted || to.destroyed) return;
        // Now and then a connection ends in the middle of what is sent.
        if (this.cutting && this.random() < 0.02) {
          to.write(bytes.subarray(0, Math.floor(this.random() * bytes.length)));
          this.cuts += 1;
          setTimeout(end, 2);
          muted = true;
          return;
        }
        to.write(bytes);
      });
      from.on('error', end).on('close', () => { this.sockets.delete(from); end(); });
    }
    if (!this.cutting) return;
    setTimeout(() => {
      if (outside.destroyed || muted) return;
      this.cuts += 1;
      const how = this.random();
      if (how < 0.5) {
        end();  // for both at once
      } else if (how < 0.7) {
        muted = true;  // into the void, and noticed later
        setTimeout(end, this.random() * 100);
      } else if (how < 0.85) {
        muted = true;  // the hub is told, the device is not yet
        inside.destroy();
      } else {
        outside.resetAndDestroy();
      }
    }, this.random() * this.longest);
  }

  close() {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}
