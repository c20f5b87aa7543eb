package jot

import (
	"context"
	"encoding/base64"
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
