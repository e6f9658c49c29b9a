// Package swagger shows the description of the API as a page that can be read and tried out: Swagger UI, all of it from this binary. Nothing is
// fetched from elsewhere, and the page runs no script but its own files.
package swagger

import (
	"bytes"
	"embed"
	"net/http"
	"strings"
	"time"

	"github.com/swaggest/swgui/v5/static"
	"github.com/vearutop/statigz"
)

// page holds what is ours: Swagger UI's own page has its script inside, which the policy below forbids.
//
//go:embed page
var page embed.FS

// policy allows the page its own files and calls of this server, and nothing else. Swagger UI draws its icons from data URLs.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const prefix = "/docs/"

// Handler serves the page below /docs/, with the description at /docs/openapi.yaml.
func Handler(openAPI []byte) http.Handler {
	assets := http.StripPrefix(prefix, statigz.FileServer(static.FS))
	own := func(w http.ResponseWriter, r *http.Request, name string) {
		content, err := page.ReadFile("page/" + name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-cache") // another version of the server stands at the same address
		switch name := strings.TrimPrefix(r.URL.Path, prefix); name {
		case "":
			own(w, r, "index.html")
		case "init.js", "page.css":
			own(w, r, name)
		case "openapi.yaml":
			header.Set("Content-Type", "application/yaml")
			http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(openAPI))
		default:
			assets.ServeHTTP(w, r)
		}
	})
}
