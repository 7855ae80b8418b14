// A push server on npm's socket.io: event `publish` goes to everybody, event `echo` back. WebSocket only, no compression.
//
//   node bench/peers/socketio_server.js PORT
'use strict';
const http = require('node:http');
const { Server } = require('socket.io');

const server = http.createServer();
// No ping during a run: the bench's client speaks WebSocket, not socket.io.
const io = new Server(server, { transports: ['websocket'], perMessageDeflate: false, httpCompression: false, serveClient: false,
  pingInterval: 3_600_000 });

io.on('connection', (socket) => {
  socket.on('publish', (text) => io.emit('message', text));
  socket.on('echo', (text) => socket.emit('message', text));
});
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 });
