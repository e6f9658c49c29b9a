package main

import (
	"net/http"
	"time"
)

// newHTTPClient returns a client with its own connections, as every browser has: one keep-alive connection, or one of h2c.
func newHTTPClient(protocol string) *http.Client {
	protocols := new(http.Protocols)
	if protocol == "h2c" {
		protocols.SetUnencryptedHTTP2(true)
	} else {
		protocols.SetHTTP1(true)
	}
	return &http.Client{Transport: &http.Transport{
		Protocols:           protocols,
		MaxIdleConnsPerHost: 1,
		IdleConnTimeout:     time.Minute,
		DisableCompression:  true,
	}}
}
