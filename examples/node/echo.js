// npm install ws; node echo.js [URL]
// Sends one message to /echo and prints the answer.
const WebSocket = require('ws');

const socket = new WebSocket(process.argv[2] ?? 'ws://127.0.0.1:8000/echo');

socket.on('open', () => socket.send('Hello, World!'));
socket.on('message', (data) => {
  console.log(`received: ${data}`);
  socket.close();
});
socket.on('close', (code) => console.log(`closed: ${code}`));
socket.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
