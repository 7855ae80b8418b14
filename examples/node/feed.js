// npm install ws; node feed.js [URL] [COUNT]
// Watches a channel and prints its messages, COUNT of them if it is given. After a cut it goes on where it stopped.
const WebSocket = require('ws');

const url = process.argv[2] ?? 'ws://127.0.0.1:8000/ws/news';
let left = Number(process.argv[3] ?? Infinity);
let cursor = '-10'; // the last ten messages, then live
let failures = 0;

function watch() {
  const socket = new WebSocket(`${url}?meta=1&since=${cursor}`);
  socket.on('message', (data) => {
    failures = 0;
    const record = JSON.parse(data);
    if (record.position) cursor = record.position;
    if (record.gap) console.log(`missed ${record.gap.from} to ${record.gap.to}: ${record.gap.reason}`);
    if (record.offset) {
      cursor = `${record.epoch}:${record.offset}`;
      console.log(`${record.offset}: ${record.text ?? JSON.stringify(record.data) ?? record.base64}`);
      if (--left === 0) process.exit();
    }
  });
  socket.on('error', (error) => {
    console.error(error.message);
    if (/response: 4(?!08|29)/.test(error.message)) process.exit(1); // refused for good: asking again does not help
  });
  socket.on('close', (code, reason) => {
    if (code !== 1006) console.error(`closed: ${code} ${reason}`);
    if ([1008, 4401, 4403].includes(code)) process.exit(1);
    // A server that restarts says when to come back; else wait longer after each failure, never all at the same time.
    const [, least, most] = /^E_DRAINING \D+(\d+)\D+(\d+)/.exec(reason) ?? [0, 0, Math.min(30000, 500 * 2 ** failures++)];
    setTimeout(watch, +least + Math.random() * (most - least));
  });
}

watch();
