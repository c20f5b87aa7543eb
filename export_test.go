package jot

import (
	"context"
	"encoding/base64"
	"sync"
)

// RawFromDERForTest is what a crypto.Signer's answer goes through.
var RawFromDERForTest = rawFromDER

// ForgeForTest signs any header and payload, however wrong.
func ForgeForTest(key SigningKey, header, payload []byte) (string, error) {
	input := base64.RawURLEncoding.AppendEncode(nil, header)
	input = base64.RawURLEncoding.AppendEncode(append(input, '.'), payload)
	signature, err := key.SignInput(context.Background(), input)
	return string(input) + "." + base64.RawURLEncoding.EncodeToString(signature), err
}

// HeadersForTest is how many headers a verifier remembers.
func HeadersForTest(v *Verifier) int { return len(*v.headers.headers.Load()) }

// StatesForTest is where the keyed states of a secret key are kept while nobody reckons with them.
func StatesForTest(key *SecretKey) *sync.Pool { return key.macs }
