// The official Go SDK of the Centrifuge protocol, unmodified, in JSON and in Protobuf. test_centrifuge_go.py starts the
// server and says where it is in the environment variable CENTRIFUGE_RIG.
package conformance

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge-go"
)

const deadline = 20 * time.Second // only what hangs reaches it

var server struct {
	Port     int    `json:"port"`
	Admin    int    `json:"admin"`
	TokenKey string `json:"token_key"`
	APIKey   string `json:"api_key"`
}

func TestMain(m *testing.M) {
	if err := json.Unmarshal([]byte(os.Getenv("CENTRIFUGE_RIG")), &server); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

type claims map[string]any

func token(changes claims) string {
	all := claims{"sub": "alice"}
	for name, value := range changes {
		all[name] = value
	}
	encode := func(value any) string {
		text, _ := json.Marshal(value)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	signed := encode(claims{"alg": "HS256", "typ": "JWT"}) + "." + encode(all)
	mac := hmac.New(sha256.New, []byte(server.TokenKey))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func api(t *testing.T, method string, body any) {
	t.Helper()
	text, _ := json.Marshal(body)
	request, _ := http.NewRequest("POST", fmt.Sprintf("http://127.0.0.1:%d/api/%s", server.Admin, method), bytes.NewReader(text))
	request.Header.Set("X-API-Key", server.APIKey)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if answer, _ := io.ReadAll(response.Body); response.StatusCode != 200 {
		t.Fatalf("/api/%s: %d %s", method, response.StatusCode, answer)
	}
}

var channels int

func channel(namespace string) string {
	channels++
	return fmt.Sprintf("%s:%d.%d", namespace, os.Getpid(), channels)
}

func next[T any](t *testing.T, events chan T) T {
	t.Helper()
	select {
	case event := <-events:
		return event
	case <-time.After(deadline):
		var none T
		t.Fatalf("no %T came", none)
		return none
	}
}

func equal[T comparable](t *testing.T, got, expected T) {
	t.Helper()
	if got != expected {
		t.Fatalf("got %v, expected %v", got, expected)
	}
}

func refused(t *testing.T, err error, code uint32) {
	t.Helper()
	var refusal *centrifuge.Error
	if !errors.As(err, &refusal) {
		t.Fatalf("not refused: %v", err)
	}
	equal(t, refusal.Code, code)
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	t.Cleanup(cancel)
	return ctx
}

type client struct {
	*centrifuge.Client
	connecting   chan centrifuge.ConnectingEvent
	connected    chan centrifuge.ConnectedEvent
	disconnected chan centrifuge.DisconnectedEvent
	publications chan centrifuge.ServerPublicationEvent
}

type subscription struct {
	*centrifuge.Subscription
	subscribed   chan centrifuge.SubscribedEvent
	unsubscribed chan centrifuge.UnsubscribedEvent
	publications chan centrifuge.PublicationEvent
	joins        chan centrifuge.JoinEvent
	leaves       chan centrifuge.LeaveEvent
}

// Calls a test with each format.
func inEachFormat(t *testing.T, test func(*testing.T, func(int, centrifuge.Config) *client)) {
	for name, make := range map[string]func(string, centrifuge.Config) *centrifuge.Client{
		"JSON": centrifuge.NewJsonClient, "Protobuf": centrifuge.NewProtobufClient,
	} {
		t.Run(name, func(t *testing.T) {
			test(t, func(port int, config centrifuge.Config) *client { return start(t, make, port, config) })
		})
	}
}

func start(t *testing.T, create func(string, centrifuge.Config) *centrifuge.Client, port int, config centrifuge.Config) *client {
	if config.Token == "" {
		config.Token = token(nil)
	}
	if port == 0 {
		port = server.Port
	}
	config.ReadTimeout, config.HandshakeTimeout, config.WriteTimeout = deadline, deadline, deadline
	made := &client{
		Client:       create(fmt.Sprintf("ws://127.0.0.1:%d/connection/websocket", port), config),
		connecting:   make(chan centrifuge.ConnectingEvent, 100),
		connected:    make(chan centrifuge.ConnectedEvent, 100),
		disconnected: make(chan centrifuge.DisconnectedEvent, 100),
		publications: make(chan centrifuge.ServerPublicationEvent, 100),
	}
	made.OnConnecting(func(event centrifuge.ConnectingEvent) { made.connecting <- event })
	made.OnConnected(func(event centrifuge.ConnectedEvent) { made.connected <- event })
	made.OnDisconnected(func(event centrifuge.DisconnectedEvent) { made.disconnected <- event })
	made.OnPublication(func(event centrifuge.ServerPublicationEvent) { made.publications <- event })
	t.Cleanup(made.Close)
	if err := made.Connect(); err != nil {
		t.Fatal(err)
	}
	next(t, made.connecting)
	return made
}

func (c *client) prepare(t *testing.T, name string, config centrifuge.SubscriptionConfig) *subscription {
	t.Helper()
	sub, err := c.NewSubscription(name, config)
	if err != nil {
		t.Fatal(err)
	}
	made := &subscription{
		Subscription: sub,
		subscribed:   make(chan centrifuge.SubscribedEvent, 100),
		unsubscribed: make(chan centrifuge.UnsubscribedEvent, 100),
		publications: make(chan centrifuge.PublicationEvent, 1000),
		joins:        make(chan centrifuge.JoinEvent, 100),
		leaves:       make(chan centrifuge.LeaveEvent, 100),
	}
	sub.OnSubscribed(func(event centrifuge.SubscribedEvent) { made.subscribed <- event })
	sub.OnUnsubscribed(func(event centrifuge.UnsubscribedEvent) { made.unsubscribed <- event })
	sub.OnPublication(func(event centrifuge.PublicationEvent) { made.publications <- event })
	sub.OnJoin(func(event centrifuge.JoinEvent) { made.joins <- event })
	sub.OnLeave(func(event centrifuge.LeaveEvent) { made.leaves <- event })
	if err := sub.Subscribe(); err != nil {
		t.Fatal(err)
	}
	return made
}

func (c *client) subscribe(t *testing.T, name string, config centrifuge.SubscriptionConfig) (*subscription, centrifuge.SubscribedEvent) {
	t.Helper()
	sub := c.prepare(t, name, config)
	return sub, next(t, sub.subscribed)
}

func TestConnection(t *testing.T) {
	inEachFormat(t, func(t *testing.T, open func(int, centrifuge.Config) *client) {
		c := open(0, centrifuge.Config{Name: "tests", Data: []byte(`{"any":"data"}`)})
		first := next(t, c.connected)
		equal(t, len(first.ClientID), 36)
		_, err := c.RPC(within(t), "any", []byte(`{"a":1}`))
		refused(t, err, 108)
		if err := c.Disconnect(); err != nil {
			t.Fatal(err)
		}
		equal(t, next(t, c.disconnected).Code, 0)
		if err := c.Connect(); err != nil {
			t.Fatal(err)
		}
		if next(t, c.connected).ClientID == first.ClientID {
			t.Fatal("the same client again")
		}
	})
}

func TestTokens(t *testing.T) {
	inEachFormat(t, func(t *testing.T, open func(int, centrifuge.Config) *client) {
		gone := next(t, open(0, centrifuge.Config{Token: "nonsense"}).disconnected)
		equal(t, fmt.Sprint(gone.Code, " ", gone.Reason), "3500 invalid token")
		asked := make(chan bool, 10)
		c := open(0, centrifuge.Config{
			Token: token(claims{"exp": time.Now().Unix() - 3600}),
			GetToken: func(centrifuge.ConnectionTokenEvent) (string, error) {
				asked <- true
				return token(claims{"exp": time.Now().Unix() + 3600}), nil
			},
		})
		next(t, c.connected)
		equal(t, len(asked), 1)
	})
}

func TestPublishAndHistory(t *testing.T) {
	inEachFormat(t, func(t *testing.T, open func(int, centrifuge.Config) *client) {
		c, name := open(0, centrifuge.Config{}), channel("open")
		id := next(t, c.connected).ClientID
		sub, event := c.subscribe(t, name, centrifuge.SubscriptionConfig{Positioned: true})
		equal(t, event.Positioned, true)
		if _, err := sub.Publish(within(t), []byte(`{"text":"κόσμε\n"}`)); err != nil {
			t.Fatal(err)
		}
		pub := next(t, sub.publications)
		equal(t, string(pub.Data), `{"text":"κόσμε\n"}`)
		equal(t, pub.Offset, 1)
		equal(t, pub.Info.User+pub.Info.Client, "alice"+id)
		if _, err := c.Publish(within(t), name, []byte(`2`)); err != nil {
			t.Fatal(err)
		}
		equal(t, string(next(t, sub.publications).Data), `2`)
		api(t, "publish", map[string]any{"channel": name, "data": 3})
		equal(t, string(next(t, sub.publications).Data), `3`)

		history, err := sub.History(within(t), centrifuge.WithHistoryLimit(10))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, history.Epoch, event.StreamPosition.Epoch)
		equal(t, history.Offset, 3)
		equal(t, len(history.Publications), 3)
		history, err = sub.History(within(t), centrifuge.WithHistoryLimit(10), centrifuge.WithHistorySince(&centrifuge.StreamPosition{Offset: 2, Epoch: history.Epoch}))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, len(history.Publications), 1)
		equal(t, history.Publications[0].Offset, 3)
		_, err = sub.History(within(t), centrifuge.WithHistoryLimit(1), centrifuge.WithHistorySince(&centrifuge.StreamPosition{Offset: 2, Epoch: "aaaaaaaa"}))
		refused(t, err, 112)
	})
}

func TestPresence(t *testing.T) {
	inEachFormat(t, func(t *testing.T, open func(int, centrifuge.Config) *client) {
		name := channel("open")
		alice, bob := open(0, centrifuge.Config{}), open(0, centrifuge.Config{Token: token(claims{"sub": "bob", "info": claims{"name": "Bob"}})})
		own, other := next(t, alice.connected).ClientID, next(t, bob.connected).ClientID
		sub, _ := alice.subscribe(t, name, centrifuge.SubscriptionConfig{JoinLeave: true})
		equal(t, next(t, sub.joins).Client, own)
		theirs, _ := bob.subscribe(t, name, centrifuge.SubscriptionConfig{})
		equal(t, next(t, sub.joins).Client, other)
		presence, err := sub.Presence(within(t))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, len(presence.Clients), 2)
		equal(t, presence.Clients[own].User, "alice")
		equal(t, string(presence.Clients[other].ConnInfo), `{"name":"Bob"}`)
		stats, err := sub.PresenceStats(within(t))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, stats.NumClients*10+stats.NumUsers, 22)
		if err := theirs.Unsubscribe(); err != nil {
			t.Fatal(err)
		}
		equal(t, next(t, sub.leaves).User, "bob")
		equal(t, next(t, theirs.unsubscribed).Code, 0)
	})
}

func TestRefusals(t *testing.T) {
	inEachFormat(t, func(t *testing.T, open func(int, centrifuge.Config) *client) {
		c := open(0, centrifuge.Config{})
		next(t, c.connected)
		for name, code := range map[string]uint32{"closed:x": 103, "unheard-of:x": 102} {
			equal(t, next(t, c.prepare(t, name, centrifuge.SubscriptionConfig{}).unsubscribed).Code, code)
			_, err := c.Publish(within(t), name, []byte(`1`))
			refused(t, err, code)
			_, err = c.History(within(t), name)
			refused(t, err, code)
			_, err = c.Presence(within(t), name)
			refused(t, err, code)
		}
	})
}

func TestSubscriptionTokens(t *testing.T) {
	inEachFormat(t, func(t *testing.T, open func(int, centrifuge.Config) *client) {
		c, name, asked := open(0, centrifuge.Config{}), channel("token"), 0
		next(t, c.connected)
		sub, _ := c.subscribe(t, name, centrifuge.SubscriptionConfig{GetToken: func(event centrifuge.SubscriptionTokenEvent) (string, error) {
			asked++
			expires := time.Now().Unix() - 3600
			if asked > 1 {
				expires += 7200
			}
			return token(claims{"channel": event.Channel, "exp": expires}), nil
		}})
		equal(t, asked, 2)
		api(t, "publish", map[string]any{"channel": name, "data": 1})
		equal(t, string(next(t, sub.publications).Data), `1`)
	})
}

func TestServerSubscriptions(t *testing.T) {
	inEachFormat(t, func(t *testing.T, open func(int, centrifuge.Config) *client) {
		name := channel("closed")
		c := open(0, centrifuge.Config{Token: token(claims{"channels": []string{name}})})
		next(t, c.connected)
		api(t, "publish", map[string]any{"channel": name, "data": 1})
		event := next(t, c.publications)
		equal(t, event.Channel+string(event.Data), name+"1")
	})
}

// A TCP line to the server that can be cut.
type line struct {
	mutex sync.Mutex
	ends  []net.Conn
	port  int
}

func newLine(t *testing.T) *line {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	made := &line{port: listener.Addr().(*net.TCPAddr).Port}
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", server.Port))
			if err != nil {
				near.Close()
				continue
			}
			made.mutex.Lock()
			made.ends = append(made.ends, near, far)
			made.mutex.Unlock()
			pass := func(to, from net.Conn) {
				io.Copy(to, from)
				to.Close()
				from.Close()
			}
			go pass(far, near)
			go pass(near, far)
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		made.cut()
	})
	return made
}

func (l *line) cut() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, end := range l.ends {
		end.Close()
	}
	l.ends = nil
}

func TestRecovery(t *testing.T) {
	inEachFormat(t, func(t *testing.T, open func(int, centrifuge.Config) *client) {
		line, name := newLine(t), channel("open")
		c := open(line.port, centrifuge.Config{})
		next(t, c.connected)
		sub, _ := c.subscribe(t, name, centrifuge.SubscriptionConfig{Recoverable: true})
		number := 0
		put := func(count int) {
			for ; count > 0; count-- {
				number++
				api(t, "publish", map[string]any{"channel": name, "data": number})
			}
		}
		for round := 0; round < 3; round++ {
			put(3)
			line.cut()
			put(4)
			again := next(t, sub.subscribed)
			equal(t, again.WasRecovering && again.Recovered, true)
		}
		for expected := 1; expected <= number; expected++ {
			pub := next(t, sub.publications)
			equal(t, string(pub.Data), fmt.Sprint(expected))
			equal(t, pub.Offset, uint64(expected))
		}
		equal(t, len(sub.publications)+len(sub.unsubscribed), 0)
	})
}

func TestEnds(t *testing.T) {
	inEachFormat(t, func(t *testing.T, open func(int, centrifuge.Config) *client) {
		name := channel("open")
		c := open(0, centrifuge.Config{Token: token(claims{"sub": name})})
		next(t, c.connected)
		sub, _ := c.subscribe(t, name, centrifuge.SubscriptionConfig{})
		api(t, "unsubscribe", map[string]any{"user": name, "channel": name})
		unsubscribed := next(t, sub.unsubscribed)
		equal(t, fmt.Sprint(unsubscribed.Code, " ", unsubscribed.Reason), "2000 server unsubscribe")
		api(t, "disconnect", map[string]any{"user": name, "disconnect": claims{"code": 4000, "reason": "come back"}})
		connecting := next(t, c.connecting)
		equal(t, fmt.Sprint(connecting.Code, " ", connecting.Reason), "4000 come back")
		next(t, c.connected)
		api(t, "disconnect", map[string]any{"user": name, "disconnect": claims{"code": 4500, "reason": "go away"}})
		gone := next(t, c.disconnected)
		equal(t, fmt.Sprint(gone.Code, " ", gone.Reason), "4500 go away")
	})
}
