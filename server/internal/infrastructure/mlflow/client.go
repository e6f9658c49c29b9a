// Package mlflow reads experiments and runs from an MLflow server over its REST interface, and settles runs whose trainer is lost. It does not write
// what a training logs: the trainer does that by itself.
package mlflow

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

const (
	// defaultTimeout bounds one question: MLflow takes a second for a page of 25,000 points on a busy machine.
	defaultTimeout = 10 * time.Second
	// mostAtOnce is how many questions are open: one worker answers them, and its other users wait meanwhile.
	mostAtOnce = 4
	// largestAnswer is far above what the questions of this package can bring.
	largestAnswer = 64 << 20
	// longestWords of MLflow are passed on, in characters: an error sentence, not a trace.
	longestWords = 300
)

// Options says which MLflow to ask.
type Options struct {
	URL          string              // as in MLFLOW_TRACKING_URI: http(s)://[user:password@]host[:port][/path]; empty: there is none
	Preparations domain.Preparations // nil: nothing is ever being prepared
	Timeout      time.Duration       // of one question; 0 means 10 s
	Now          func() time.Time    // nil means time.Now
	OnChange     func(up bool, cause error)
}

// Client asks one MLflow. All its methods may be called by many goroutines at once.
type Client struct {
	base         *url.URL // without user; nil when there is no MLflow
	user         *url.Userinfo
	http         *http.Client
	timeout      time.Duration
	slots        chan struct{} // one token for each open question
	history      int           // points that are read to the end
	preparations domain.Preparations
	health       health
}

var (
	_ domain.ExperimentTracker = (*Client)(nil)
	_ domain.RunSettler        = (*Client)(nil)
	_ domain.ServiceReporter   = (*Client)(nil)
)

// New prepares a client and asks nothing yet; an MLflow that is away is no error here.
func New(options Options) (*Client, error) {
	if options.URL == "" {
		return &Client{http: &http.Client{}}, nil
	}
	base, err := url.Parse(options.URL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, errors.New("MLFLOW_TRACKING_URI is no address like http://host:5000")
	}
	now := options.Now
	if now == nil {
		now = time.Now
	}
	user := base.User
	base.User = nil
	base.Path = strings.TrimSuffix(base.Path, "/")
	return &Client{
		base: base, user: user, timeout: cmp.Or(options.Timeout, defaultTimeout), slots: make(chan struct{}, mostAtOnce), history: largestHistory,
		preparations: options.Preparations,
		http: &http.Client{
			Transport: &http.Transport{MaxIdleConnsPerHost: mostAtOnce, IdleConnTimeout: time.Minute},
			// A redirect would be a log-in page or another server; neither is an MLflow.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		health: health{now: now, onChange: options.OnChange, since: now()},
	}, nil
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// errNotConfigured is the answer of an installation without MLflow.
var errNotConfigured = domain.MLflowAway("this installation has no MLflow; start one, and name it in MLFLOW_TRACKING_URI", nil)

// refused is MLflow's own error: it is there, and says no.
type refused struct {
	status int
	Code   string `json:"error_code"`
	Words  string `json:"message"`
}

func (r *refused) Error() string {
	return fmt.Sprintf("MLflow answers %d %s: %s", r.status, r.Code, r.Words)
}

// unknown tells whether what was named does not exist.
func (r *refused) unknown() bool { return r.Code == "RESOURCE_DOES_NOT_EXIST" }

// words are MLflow's for people, on one line.
func (r *refused) words() string {
	line := strings.Join(strings.FieldsFunc(r.Words, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }), " ")
	if characters := []rune(line); len(characters) > longestWords {
		line = string(characters[:longestWords]) + "…"
	}
	return line
}

// get asks with parameters in the address; post sends a body. Errors: *refused; ErrMLflowAway.
func (c *Client) get(ctx context.Context, path string, query url.Values, into any) error {
	return c.ask(ctx, http.MethodGet, "/api/2.0/mlflow/"+path+"?"+query.Encode(), nil, into)
}

func (c *Client) post(ctx context.Context, path string, body, into any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode a question to MLflow: %w", err)
	}
	return c.ask(ctx, http.MethodPost, "/api/2.0/mlflow/"+path, encoded, into)
}

func (c *Client) ask(ctx context.Context, method, path string, body []byte, into any) error {
	if c.base == nil {
		return errNotConfigured
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	bounded, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	err := c.exchange(bounded, method, path, body, into)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx) // who asked has left; that says nothing of MLflow
	}
	if _, said := errors.AsType[*refused](err); said || err == nil {
		c.health.saw(nil)
		return err
	}
	c.health.saw(err)
	return c.away(err)
}

// exchange sends one question and reads the answer. What is not *refused means that no MLflow answers.
func (c *Client) exchange(ctx context.Context, method, path string, body []byte, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.base.String()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if c.user != nil {
		password, _ := c.user.Password()
		request.SetBasicAuth(c.user.Username(), password)
	}
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, largestAnswer+1))
	if err != nil {
		return err
	}
	if len(answer) > largestAnswer {
		return errors.New("the answer is too large")
	}
	if response.StatusCode != http.StatusOK {
		return failure(response.StatusCode, answer)
	}
	if into == nil { // a sign of life is no JSON
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("the answer is none of MLflow's: %w", err)
	}
	return nil
}

// errLogin: MLflow or a gateway before it wants to know who asks.
var errLogin = errors.New("not let in")

func failure(status int, answer []byte) error {
	said := &refused{status: status}
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fmt.Errorf("status %d: %w", status, errLogin)
	case status >= 500 || status == http.StatusTooManyRequests || json.Unmarshal(answer, said) != nil || said.Code == "":
		return fmt.Errorf("status %d: %.200q", status, answer)
	}
	return said
}

// away puts into words why MLflow can't be asked.
func (c *Client) away(cause error) error {
	return domain.MLflowAway(c.awayMessage(cause), cause)
}

func (c *Client) awayMessage(cause error) string {
	if p, preparing := c.preparing(); preparing {
		return "MLflow is not ready yet: " + p.Message
	}
	switch {
	case errors.Is(cause, errLogin):
		return "MLflow does not let the server in; check user and password in MLFLOW_TRACKING_URI"
	case errors.Is(cause, context.DeadlineExceeded):
		return "MLflow takes too long to answer; try again in a moment"
	}
	return domain.ErrMLflowAway.Message
}

func (c *Client) preparing() (domain.Preparation, bool) {
	if c.preparations == nil {
		return domain.Preparation{}, false
	}
	return c.preparations.Preparation(serviceName)
}
