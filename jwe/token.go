package jwe

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/internal/jose"
)

const tokenType = "JWT" // the "cty" of a nested token (RFC 7519 §5.2)

// SealToken makes a nested token: it signs the claims, then encrypts the signed token, in compact form (RFC 7519 §11.2
// has the reasons for that order). The header's "cty" is "JWT". It needs an encrypter of one key and without another
// ContentType. Where EncrypterOptions.Header repeats the claims iss, sub or aud, they have to be the token's (RFC 7519
// §5.3).
func (e *Encrypter) SealToken(ctx context.Context, signer *jot.Signer, claims any) (string, error) {
	if signer == nil {
		return "", errors.New("jwe: sealing a token needs a signer")
	}
	if e.options.ContentType != "" && !jose.SameType(e.options.ContentType, tokenType) {
		return "", errors.New(`jwe: this encrypter's ContentType is another than that of tokens, "JWT"`)
	}
	if err := e.checkCompact(); err != nil {
		return "", err
	}
	signed, err := signer.Sign(ctx, claims)
	if err != nil {
		return "", err
	}
	header, err := e.encodeHeader(e.extra)
	if err != nil {
		return "", err
	}
	if !repeats(header, signed) {
		return "", errors.New("jwe: this encrypter's Header has an iss, sub or aud that isn't the token's")
	}
	return e.encryptCompact([]byte(signed), tokenType)
}

// OpenToken decrypts a nested token, in compact form, and verifies the signed token within: the one way from an
// encrypted message to a *jot.Token. A message that can't be decrypted, or whose "cty" is not "JWT", is ErrDecryption;
// the other errors of Decrypt are there too, and for the signed token, the errors are the verifier's. Where the header
// repeats the claims iss, sub or aud, they have to be the token's (RFC 7519 §5.3). With an error, the token is nil.
func (d *Decrypter) OpenToken(ctx context.Context, verifier *jot.Verifier, raw string) (*jot.Token, error) {
	if verifier == nil {
		return nil, errors.New("jwe: opening a token needs a verifier")
	}
	message := []byte(raw)
	if jose.InJSON(message) { // a JWT is always in compact form (RFC 7519 §1)
		return nil, ErrDecryption
	}
	o, err := d.decrypt(ctx, message)
	if err != nil {
		return nil, err
	}
	if !jose.SameType(o.header.contentType, tokenType) {
		return nil, ErrDecryption
	}
	signed := string(o.plaintext)
	token, err := verifier.Verify(ctx, signed)
	if err != nil {
		return nil, err
	}
	if !repeats(o.protected, signed) {
		return nil, ErrDecryption
	}
	return token, nil
}

// repeats reports whether the claims that the header repeats are those of a signed token, which has been made or
// verified here.
func repeats(header []byte, signed string) bool {
	repeated, ok := repeatable(header)
	if !ok || len(repeated) == 0 {
		return ok
	}
	payload, err := decode(strings.Split(signed, ".")[1])
	if err != nil {
		return false
	}
	claims, ok := repeatable(payload)
	for name, texts := range repeated {
		claim, found := claims[name]
		ok = ok && found && slices.Equal(claim, texts)
	}
	return ok
}

// repeatable returns the members of an object that are claims to repeat. Any of a wrong type makes ok false.
func repeatable(object []byte) (claims map[string][]string, ok bool) {
	claims = map[string][]string{}
	var s jose.Scanner
	for s.Reset(object); s.Next(); {
		switch name := string(s.Name()); name {
		case "iss", "sub", "aud":
			list, ok := texts(s.Value())
			if !ok || name != "aud" && s.Value().Kind() != jose.String {
				return nil, false
			}
			claims[name] = list
		}
	}
	return claims, s.Err() == nil
}

// texts returns the one text, or those of an array: an audience may be written either way (RFC 7519 §4.1.3).
func texts(value jose.Value) (list []string, ok bool) {
	if text, ok := value.Text(); ok {
		return []string{string(text)}, true
	}
	for elements := value.Elements(); elements.Next(); {
		text, ok := elements.Value().Text()
		if !ok {
			return nil, false
		}
		list = append(list, string(text))
	}
	return list, value.Kind() == jose.Array
}
