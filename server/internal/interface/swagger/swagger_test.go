package swagger_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/rlmaze/rlmaze/server/internal/interface/swagger"
)

func get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	recorder := httptest.NewRecorder()
	swagger.Handler([]byte("openapi: 3.1.0\n")).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
	response := recorder.Result()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestThePageBringsEverythingItNeedsAndRunsNoScriptOfItsOwn(t *testing.T) {
	response, page := get(t, "/docs/")
	policy := response.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") {
		t.Errorf("type %q, policy %q", response.Header.Get("Content-Type"), policy)
	}
	if regexp.MustCompile(`<script[^>]*>[^<]|<style| on[a-z]+=| style=`).MatchString(page) {
		t.Error("the page holds a script or a style that the policy forbids")
	}
	files := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(files) < 5 {
		t.Fatalf("the page names %d files", len(files))
	}
	for _, file := range files {
		if strings.Contains(file[1], "/") {
			t.Errorf("%s is not beside the page", file[1])
		}
		response, body := get(t, "/docs/"+file[1])
		if response.StatusCode != http.StatusOK || body == "" || response.Header.Get("Content-Security-Policy") != policy {
			t.Errorf("%s: status %d, %d bytes, policy %q", file[1], response.StatusCode, len(body), response.Header.Get("Content-Security-Policy"))
		}
		if kind := response.Header.Get("Content-Type"); strings.HasSuffix(file[1], ".js") != strings.Contains(kind, "javascript") || strings.HasSuffix(file[1], ".css") != strings.Contains(kind, "css") {
			t.Errorf("%s has the type %s", file[1], kind)
		}
	}
}

func TestTheDescriptionIsServedAsItIs(t *testing.T) {
	response, body := get(t, "/docs/openapi.yaml")
	if body != "openapi: 3.1.0\n" || response.Header.Get("Content-Type") != "application/yaml" {
		t.Errorf("%q as %q", body, response.Header.Get("Content-Type"))
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	for _, path := range []string{"/docs/nothing.js", "/docs/embed.go", "/docs/page"} {
		if response, _ := get(t, path); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s has status %d", path, response.StatusCode)
		}
	}
}
