package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Config is everything that the environment says, read once. .env.example documents each variable.
type Config struct {
	Addr              string   `env:"RLMAZE_ADDR" envDefault:"127.0.0.1:8080"`
	PrivateAddr       string   `env:"RLMAZE_PRIVATE_ADDR" envDefault:"127.0.0.1:8081"`
	ServerToken       string   `env:"SERVER_TOKEN"`
	AllowedHosts      []string `env:"ALLOWED_HOSTS"`
	CORSOrigins       []string `env:"CORS_ORIGINS" envDefault:"http://localhost:3000,http://127.0.0.1:3000"`
	DatabaseURL       string   `env:"DATABASE_URL"`
	MongoURI          string   `env:"MONGODB_URI"`
	LogMaxDays        int      `env:"EPISODE_LOG_MAX_DAYS" envDefault:"0"`
	LogMaxEpisodes    int      `env:"EPISODE_LOG_MAX_EPISODES" envDefault:"0"`
	DataDir           string   `env:"DATA_DIR" envDefault:".data"`
	ModelStore        string   `env:"MODEL_STORE"`
	ONNXRuntimeLib    string   `env:"ONNXRUNTIME_LIB"`
	PostgresBin       string   `env:"POSTGRES_BIN"`
	LogFormat         string   `env:"LOG_FORMAT" envDefault:"auto"`
	LogLevel          string   `env:"LOG_LEVEL" envDefault:"info"`
	MaxStreams        int      `env:"MAX_STREAMS" envDefault:"4096"`
	MaxConnections    int      `env:"MAX_CONNECTIONS" envDefault:"8192"`
	MaxStreamHours    int      `env:"MAX_STREAM_HOURS" envDefault:"24"`
	RateLimit         int      `env:"RATE_LIMIT" envDefault:"6000"`
	RateBurst         int      `env:"RATE_BURST" envDefault:"1000"`
	StreamsPerAddress int      `env:"STREAMS_PER_ADDRESS" envDefault:"512"`
	TrustedProxies    []string `env:"TRUSTED_PROXIES"`
	TrainerURL        string   `env:"TRAINER_URL"`
	TrainerToken      string   `env:"TRAINER_TOKEN"`
	TrainingQuota     int      `env:"TRAINING_QUOTA" envDefault:"0"`
	MLflowURI         string   `env:"MLFLOW_TRACKING_URI"`
	SetupState        string   `env:"SETUP_STATE"`
	OTLPEndpoint      string   `env:"OTEL_EXPORTER_OTLP_ENDPOINT"`

	Trainers []TrainerAddress `env:"-"` // read from TrainerURL
	Proxies  []netip.Prefix   `env:"-"` // read from TrustedProxies
}

// ReadConfig reads the variables and checks them. An error names every variable that is wrong, and what it may be.
func ReadConfig(environment map[string]string) (Config, error) {
	var config Config
	// What can't be read at all is left at its zero value, so the other variables can be checked with it.
	wrong, named := nameVariables(env.ParseWithOptions(&config, env.Options{Environment: environment}))
	trim(config.CORSOrigins)
	trim(config.AllowedHosts)
	refuse := func(variable, format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("%s %s", variable, fmt.Sprintf(format, args...)))
	}
	for _, listener := range []struct{ variable, address string }{{"RLMAZE_ADDR", config.Addr}, {"RLMAZE_PRIVATE_ADDR", config.PrivateAddr}} {
		if _, err := splitAddress(listener.address); err != nil {
			refuse(listener.variable, "is %q, want host:port (127.0.0.1:8080) or :port; %v", listener.address, err)
		}
	}
	if host, err := splitAddress(config.PrivateAddr); err == nil && config.ServerToken == "" && !isLoopback(host) {
		refuse("RLMAZE_PRIVATE_ADDR", "is %q, which others can reach, and SERVER_TOKEN is empty: set SERVER_TOKEN, or keep the private listener on 127.0.0.1", config.PrivateAddr)
	}
	const shortestToken = 16 // bytes; openssl rand -hex 16 gives 32
	if config.ServerToken != "" && len(config.ServerToken) < shortestToken {
		refuse("SERVER_TOKEN", "has %d characters, want at least %d", len(config.ServerToken), shortestToken)
	}
	for _, origin := range config.CORSOrigins {
		if u, err := url.Parse(origin); origin != "*" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" || strings.ContainsAny(origin, "*?#@")) {
			refuse("CORS_ORIGINS", "holds %q, want origins like https://maze.example.com (scheme and host, no path) or *, separated by commas", origin)
		}
	}
	if u, err := url.Parse(config.DatabaseURL); config.DatabaseURL != "" && (err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql") {
		refuse("DATABASE_URL", "must be empty or start with postgres:// (its value is not shown: it may hold a password)")
	}
	if !strings.HasPrefix(config.MongoURI, "mongodb://") && !strings.HasPrefix(config.MongoURI, "mongodb+srv://") && config.MongoURI != "" {
		refuse("MONGODB_URI", "must be empty or start with mongodb:// or mongodb+srv:// (its value is not shown: it may hold a password)")
	}
	if u, err := url.Parse(config.MLflowURI); config.MLflowURI != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "") {
		refuse("MLFLOW_TRACKING_URI", "must be empty or an address like http://host:5000 (its value is not shown: it may hold a password)")
	}
	if u, err := url.Parse(config.OTLPEndpoint); config.OTLPEndpoint != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "") {
		refuse("OTEL_EXPORTER_OTLP_ENDPOINT", "must be empty or an address like http://host:4318 (its value is not shown: it may hold a password)")
	}
	switch config.LogFormat {
	case "auto", "tint", "json":
	default:
		refuse("LOG_FORMAT", "is %q, want auto (tint on a terminal, else json), tint or json", config.LogFormat)
	}
	if _, err := config.level(); err != nil {
		refuse("LOG_LEVEL", "is %q, want debug, info, warn or error", config.LogLevel)
	}
	for _, limit := range []struct {
		variable string
		n        int
	}{{"MAX_STREAMS", config.MaxStreams}, {"MAX_CONNECTIONS", config.MaxConnections}} {
		if (limit.n < 1 || limit.n > 100_000) && !named[limit.variable] {
			refuse(limit.variable, "is %d, want 1 to 100000", limit.n)
		}
	}
	for _, limit := range []struct {
		variable string
		n        int
	}{{"MAX_STREAM_HOURS", config.MaxStreamHours}, {"RATE_LIMIT", config.RateLimit}, {"STREAMS_PER_ADDRESS", config.StreamsPerAddress}} {
		if (limit.n < 0 || limit.n > 1_000_000) && !named[limit.variable] {
			refuse(limit.variable, "is %d, want 1 to 1000000, or 0 for no limit", limit.n)
		}
	}
	if (config.RateBurst < 1 || config.RateBurst > 1_000_000) && !named["RATE_BURST"] {
		refuse("RATE_BURST", "is %d, want 1 to 1000000", config.RateBurst)
	}
	for _, entry := range config.TrustedProxies {
		if strings.TrimSpace(entry) == "" {
			continue // a comma too many
		}
		proxy, err := readProxy(entry)
		if err != nil {
			refuse("TRUSTED_PROXIES", "holds %q, want addresses or networks like 10.0.0.0/8, separated by commas", entry)
			continue
		}
		config.Proxies = append(config.Proxies, proxy)
	}
	trainers, err := readTrainers(config.TrainerURL)
	if err != nil {
		refuse("TRAINER_URL", "%v", err)
	}
	config.Trainers = trainers
	if config.TrainingQuota < 0 && !named["TRAINING_QUOTA"] {
		refuse("TRAINING_QUOTA", "is %d, want the number of trainings that one address may start in an hour, or 0 for any", config.TrainingQuota)
	}
	for _, bound := range []struct {
		variable, what string
		n              int
	}{{"EPISODE_LOG_MAX_DAYS", "days", config.LogMaxDays}, {"EPISODE_LOG_MAX_EPISODES", "episodes", config.LogMaxEpisodes}} {
		if bound.n < 0 && !named[bound.variable] {
			refuse(bound.variable, "is %d, want the number of %s that the episode log keeps, or 0 for all", bound.n, bound.what)
		}
	}
	if config.DataDir == "" {
		refuse("DATA_DIR", "is empty, want a folder that the server may write to")
	}
	if config.ModelStore == "" {
		config.ModelStore = filepath.Join("ml", "models")
	}
	if state, err := os.Stat(config.ModelStore); err != nil || !state.IsDir() {
		refuse("MODEL_STORE", "is %q, which is no folder; want the folder of the models (ml/models of the repository)", config.ModelStore)
	}
	return config, errors.Join(wrong...)
}

func (c Config) level() (slog.Level, error) {
	var level slog.Level
	err := level.UnmarshalText([]byte(c.LogLevel))
	return level, err
}

// nameVariables replaces the struct fields in the library's errors by the variables that people set, and says which ones they are.
func nameVariables(err error) (wrong []error, named map[string]bool) {
	named = map[string]bool{}
	aggregate, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		if err != nil {
			wrong = append(wrong, err)
		}
		return wrong, named
	}
	for _, e := range aggregate.Errors {
		if parse, ok := errors.AsType[env.ParseError](e); ok {
			if field, found := reflect.TypeFor[Config]().FieldByName(parse.Name); found {
				variable := field.Tag.Get("env")
				named[variable] = true
				wrong = append(wrong, fmt.Errorf("%s must be %s: %w", variable, kindInWords(parse.Type.Kind()), parse.Err))
				continue
			}
		}
		wrong = append(wrong, e)
	}
	return wrong, named
}

func kindInWords(kind reflect.Kind) string {
	if kind == reflect.Int {
		return "a whole number"
	}
	return "a " + kind.String()
}

func trim(list []string) {
	for i, entry := range list {
		list[i] = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(entry)), "/")
	}
}

func splitAddress(address string) (host string, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return "", fmt.Errorf("%q is no port", port)
	}
	return host, nil
}

// readProxy reads an address, which is a network of one, or a network.
func readProxy(entry string) (netip.Prefix, error) {
	entry = strings.TrimSpace(entry)
	if address, err := netip.ParseAddr(entry); err == nil {
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	return netip.ParsePrefix(entry)
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address := net.ParseIP(host)
	return address != nil && address.IsLoopback()
}
