// npm install ws; node feed.js [URL] [COUNT]
// Watches a channel and prints its messages, COUNT of them if it is given. After a cut it goes on where it stopped.
const WebSocket = require('ws');

const url = process.argv[2] ?? 'ws://127.0.0.1:8000/ws/news';
let left = Number(process.argv[3] ?? Infinity);
let cursor = '-10'; // the last ten messages, then live

function watch() {
  const socket = new WebSocket(`${url}?meta=1&since=${cursor}`);
  socket.on('message', (data) => {
    const record = JSON.parse(data);
    if (record.position) cursor = record.position;
    if (record.gap) console.log(`missed ${record.gap.from} to ${record.gap.to}: ${record.gap.reason}`);
    if (record.offset) {
      cursor = `${record.epoch}:${record.offset}`;
      console.log(`${record.offset}: ${record.text ?? JSON.stringify(record.data) ?? record.base64}`);
      if (--left === 0) process.exit();
    }
  });
  socket.on('close', () => setTimeout(watch, 500 + Math.random() * 1000));
  socket.on('error', (error) => console.error(error.message));
}

watch();
