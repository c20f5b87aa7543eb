package jws

import (
	"encoding/base64"
	"fmt"

	"github.com/jot-auth/jot/internal/jose"
)

// signedPart is one signature as the JSON serializations write it (RFC 7515 §7.2).
type signedPart struct {
	Protected string `json:"protected,omitempty"`
	Header    *hint  `json:"header,omitempty"`
	Signature string `json:"signature"`
}

// part writes a verified signature as it was, without what its unprotected header said beyond the hints that lead to
// the key.
func (s *signature) part() signedPart {
	part := signedPart{Protected: s.protected, Signature: base64.RawURLEncoding.EncodeToString(s.value)}
	if s.header.unprotected != (hint{}) {
		part.Header = &s.header.unprotected
	}
	return part
}

// encodeJSON writes the flattened serialization for one signature and the general one for several.
func encodeJSON(payload *string, signatures []signedPart) ([]byte, error) {
	var document any
	if len(signatures) == 1 {
		document = struct {
			Payload *string `json:"payload,omitempty"`
			signedPart
		}{payload, signatures[0]}
	} else {
		document = struct {
			Payload    *string      `json:"payload,omitempty"`
			Signatures []signedPart `json:"signatures"`
		}{payload, signatures}
	}
	message, err := jose.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("jws: encoding the message: %w", err)
	}
	return message, nil
}
