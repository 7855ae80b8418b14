// A push server on npm's `ws`, as one writes it in half an hour. /echo answers every message; what comes on any other path
// goes to everybody on it. No positions, no history, no backpressure.
//
//   node bench/peers/ws_server.js PORT [deflate]       (takes `ws` from conformance/node_modules)
'use strict';
const path = require('node:path');
const { WebSocketServer } = require(path.join(__dirname, '../../conformance/node_modules/ws'));

const channels = new Map();
// Compressed as a server for many would: no window kept for each connection, also small messages, as all in the comparison.
const perMessageDeflate = process.argv[3] === 'deflate' && {
  serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0,
};
const server = new WebSocketServer({ port: Number(process.argv[2]), host: '127.0.0.1', perMessageDeflate, backlog: 4096 });

server.on('connection', (socket, request) => {
  socket.on('error', () => {});
  if (request.url === '/echo') {
    socket.on('message', (data, binary) => socket.send(data, { binary }));
    return;
  }
  let members = channels.get(request.url);
  if (!members) channels.set(request.url, (members = new Set()));
  members.add(socket);
  socket.on('message', (data, binary) => {
    for (const member of members) member.send(data, { binary });
  });
  socket.on('close', () => members.delete(socket));
});
