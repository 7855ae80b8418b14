#include "client/commands.h"

namespace client {

const char* const kBenchExamples = R"(Examples:
  wirebird bench echo --connections 100 --bytes 1KiB
  wirebird bench fan-out --connections 5000 --rate 100 --server-pid $(pidof wirebird) --plot fan-out.svg
  wirebird bench fan-in --connections 1000 --rate 20000
  wirebird bench mixed --connections 500 --publishers 20 --rate 200 --channels 5
  wirebird bench idle --connections 10000 --server-pid $(pidof wirebird)        bytes per connection
  wirebird bench reconnect --connections 5000 --connect-rate 2000 --duration 1m
)";

const char* const kBenchHelp =
    R"(Modes. Without messages:
  connect     opens connections and holds them
  idle        the same, subscribed to channels
  reconnect   a storm: cuts all connections at once and opens them again at --connect-rate, again and again; tells how
              long it took until all were back, and the share that came back at the first attempt
With messages, which carry numbers, so that none is lost or doubled unseen:
  echo        every connection sends, and sends again when the answer has come
  fan-out     one publisher per channel sends at --rate; every connection gets every message of its channel
  fan-in      every connection publishes, --rate together; one subscriber per channel counts
  mixed       every connection subscribes, and --publishers of them publish, --rate together

Times:
  connect      from connect() to the server's 101, in its steps: tcp, tls, upgrade
  processing   echo: from the last byte of a message handed to the kernel to the first byte of its answer
               others: from the publish to the first copy that arrives at any subscriber
  transfer     echo: handing the message to the kernel, and from the first to the last byte of its answer
               others: from the first copy of a message to each other copy
  total        echo: the round trip; others: from the publish to each copy (= processing + transfer)

Processing includes one round trip of the network; the time of tcp tells how long that is. All times are taken in
the bench, so they include its own work: it shares the machine's cores if it runs beside the server.

Other servers. In --path and in the texts {channel} is the channel's name and {payload} the message; other braces are
themselves. An answer may hold the payload anywhere, so JSON around it is fine, and messages of the server's own are
only counted:
  a server that hands on every message to everybody
      wirebird bench mixed --url ws://HOST:8080 --path /
  one with commands in JSON
      wirebird bench fan-out --url ws://HOST:8080 --path /socket \
          --subscribe-text '{"do":"subscribe","to":"{channel}"}' \
          --publish-text '{"do":"publish","to":"{channel}","text":"{payload}"}'
  one whose publishers have a path of their own, or use POST
      wirebird bench fan-out --url http://HOST --path '/sub/{channel}' --publish-path '/pub/{channel}' --post
  nats-server; with --binary, \r \n \t \0 \\ and \xHH stand for bytes
      wirebird bench fan-out --url ws://HOST:9222 --path / --binary --hello-text 'CONNECT {"verbose":false}\r\n' \
          --subscribe-text 'SUB {channel} 1\r\n' --publish-text 'PUB {channel} 64\r\n{payload}\r\n'

The exit code is 0 only if every connection opened and stayed, and nothing was lost, doubled or damaged; 4 if not; 2
for flags that make no sense.)";

}  // namespace client
