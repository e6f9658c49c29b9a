// Package docs carries the description of the API inside the server's binary. It holds no Go code beyond that.
package docs

import _ "embed"

// OpenAPI is openapi.yaml, which `make generate` writes from api/.
//
//go:embed openapi.yaml
var OpenAPI []byte
