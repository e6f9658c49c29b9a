package app

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T, variables map[string]string) (Config, error) {
	t.Helper()
	environment := map[string]string{"MODEL_STORE": t.TempDir()}
	for name, value := range variables {
		environment[name] = value
	}
	return ReadConfig(environment)
}

func TestNothingHasToBeSet(t *testing.T) {
	config, err := read(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if config.Addr != "127.0.0.1:8080" || config.PrivateAddr != "127.0.0.1:8081" || config.DataDir != ".data" || len(config.CORSOrigins) != 2 {
		t.Errorf("the defaults are %+v", config)
	}
}

func TestAWrongValueNamesItsVariable(t *testing.T) {
	for _, c := range []struct{ variable, value string }{
		{"RLMAZE_ADDR", "8080"},
		{"RLMAZE_ADDR", "127.0.0.1:http"},
		{"RLMAZE_ADDR", "127.0.0.1:70000"},
		{"RLMAZE_PRIVATE_ADDR", "localhost"},
		{"RLMAZE_PRIVATE_ADDR", ":8081"},        // others can reach it and there is no token
		{"RLMAZE_PRIVATE_ADDR", "0.0.0.0:8081"}, // likewise
		{"RLMAZE_PRIVATE_ADDR", "192.0.2.1:8081"},
		{"SERVER_TOKEN", "short"},
		{"CORS_ORIGINS", "maze.example.com"},
		{"CORS_ORIGINS", "https://maze.example.com/page"},
		{"CORS_ORIGINS", "https://*.example.com"}, // the WebSocket's check knows no patterns
		{"CORS_ORIGINS", "https://me@maze.example.com"},
		{"DATABASE_URL", "mysql://localhost"},
		{"MONGODB_URI", "localhost:27017"},
		{"LOG_FORMAT", "xml"},
		{"LOG_LEVEL", "loud"},
		{"MAX_STREAMS", "many"},
		{"MAX_STREAMS", "0"},
		{"MAX_CONNECTIONS", "-1"},
		{"MAX_CONNECTIONS", "1e9"},
		{"MAX_STREAM_HOURS", "-1"},
		{"RATE_LIMIT", "fast"},
		{"RATE_LIMIT", "-1"},
		{"RATE_BURST", "0"},
		{"STREAMS_PER_ADDRESS", "-1"},
		{"TRUSTED_PROXIES", "proxy.example.com"},
		{"TRUSTED_PROXIES", "10.0.0.0/33"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"},
		{"EPISODE_LOG_MAX_DAYS", "-1"},
		{"EPISODE_LOG_MAX_DAYS", "a month"},
		{"EPISODE_LOG_MAX_EPISODES", "-1"},
		{"MODEL_STORE", "/nowhere/at/all"},
	} {
		_, err := read(t, map[string]string{c.variable: c.value})
		if err == nil || !strings.Contains(err.Error(), c.variable) {
			t.Errorf("%s=%s: %v; want an error that names the variable", c.variable, c.value, err)
		}
	}
}

func TestAllWrongVariablesAreNamedAtOnce(t *testing.T) {
	wrong := map[string]string{
		"MAX_STREAMS": "many", "MAX_CONNECTIONS": "0", "RLMAZE_ADDR": "8080", "LOG_LEVEL": "loud", "LOG_FORMAT": "xml", "DATABASE_URL": "mysql://localhost",
		"CORS_ORIGINS": "maze.example.com", "MODEL_STORE": "/nowhere/at/all", "SERVER_TOKEN": "short",
	}
	_, err := read(t, wrong)
	if err == nil {
		t.Fatal("it was accepted")
	}
	lines := strings.Split(err.Error(), "\n")
	for variable := range wrong {
		n := 0
		for _, line := range lines {
			if strings.HasPrefix(line, variable+" ") {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s is named %d times: %v", variable, n, err)
		}
	}
	if len(lines) != len(wrong) {
		t.Errorf("%d lines for %d variables: %v", len(lines), len(wrong), err)
	}
}

func TestAnErrorShowsNoPassword(t *testing.T) {
	_, err := read(t, map[string]string{"DATABASE_URL": "mysql://me:hunter2@db", "MONGODB_URI": "http://me:hunter2@db"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error is %v", err)
	}
}

func TestATokenAllowsThePrivateListenerBeyondLoopback(t *testing.T) {
	if _, err := read(t, map[string]string{"RLMAZE_PRIVATE_ADDR": "0.0.0.0:8081", "SERVER_TOKEN": "0123456789abcdef"}); err != nil {
		t.Error(err)
	}
}

func TestProxiesAreAddressesAndNetworks(t *testing.T) {
	config, err := read(t, map[string]string{"TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.7,2001:db8::/32,"})
	if err != nil || len(config.Proxies) != 3 || config.Proxies[1].String() != "192.0.2.7/32" {
		t.Errorf("%v, %v", config.Proxies, err)
	}
	if config, err := read(t, map[string]string{"TRUSTED_PROXIES": ""}); err != nil || len(config.Proxies) != 0 {
		t.Errorf("none: %v, %v", config.Proxies, err)
	}
}

func TestEveryVariableIsDocumented(t *testing.T) {
	example, err := os.ReadFile("../../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, match := range regexp.MustCompile(`(?m)^([A-Z_]+)=(.*)$`).FindAllStringSubmatch(string(example), -1) {
		documented[match[1]] = match[2]
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		variable := field.Tag.Get("env")
		if variable == "-" {
			continue // made of another one
		}
		value, found := documented[variable]
		if !found || value != field.Tag.Get("envDefault") {
			t.Errorf("%s: .env.example says %q (found: %v), the code's default is %q", variable, value, found, field.Tag.Get("envDefault"))
		}
		delete(documented, variable)
	}
	for variable := range documented {
		t.Errorf("%s is documented, and nobody reads it", variable)
	}
}
