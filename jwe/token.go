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

// SealToken makes a nested token: it signs the claims, then encrypts the signed token, in compact form (RFC 7519 §11.2 has the reasons for that order). The
// header's "cty" is "JWT". It needs an encrypter of one key and without another ContentType.
func (e *Encrypter) SealToken(ctx context.Context, signer *jot.Signer, claims any) (string, error) {
	if signer == nil {
		return "", errors.New("jwe: sealing a token needs a signer")
	}
	if e.options.ContentType != "" && !isTokenType(e.options.ContentType) {
		return "", errors.New(`jwe: this encrypter's ContentType is another than that of tokens, "JWT"`)
	}
	signed, err := signer.Sign(ctx, claims)
	if err != nil {
		return "", err
	}
	return e.encryptCompact([]byte(signed), tokenType)
}

// OpenToken decrypts a nested token, in compact form, and verifies the signed token within: the one way from an encrypted message to a *jot.Token. A message
// that can't be decrypted, or whose "cty" is not "JWT", is ErrDecryption; for the signed token, the errors are the verifier's. Where the header repeats the
// claims iss, sub or aud, they have to be the token's (RFC 7519 §5.3). With an error, the token is nil.
func (d *Decrypter) OpenToken(ctx context.Context, verifier *jot.Verifier, raw string) (*jot.Token, error) {
	if verifier == nil {
		return nil, errors.New("jwe: opening a token needs a verifier")
	}
	if strings.HasPrefix(raw, "{") { // a JWT is always in compact form (RFC 7519 §1)
		return nil, ErrDecryption
	}
	message, err := d.Decrypt([]byte(raw))
	if err != nil {
		return nil, err
	}
	if !isTokenType(message.header.contentType) {
		return nil, ErrDecryption
	}
	token, err := verifier.Verify(ctx, string(message.plaintext))
	if err != nil {
		return nil, err
	}
	if !repeats(message.protected, token) {
		return nil, ErrDecryption
	}
	return token, nil
}

// isTokenType compares media types without regard to case, and with or without "application/" (RFC 7516 §4.1.12).
func isTokenType(contentType string) bool {
	return strings.EqualFold(contentType, tokenType) || strings.EqualFold(contentType, "application/"+tokenType)
}

// repeats reports whether the claims that the header repeats are those of the token.
func repeats(header []byte, token *jot.Token) bool {
	claims := map[string][]string{"iss": {token.Issuer()}, "sub": {token.Subject()}, "aud": token.Audience()}
	var s jose.Scanner
	for s.Reset(header); s.Next(); {
		if claim, repeated := claims[string(s.Name())]; repeated && !says(s.Value(), claim) {
			return false
		}
	}
	return s.Err() == nil
}

// says reports whether the value is the one text, or the array of these texts.
func says(value jose.Value, texts []string) bool {
	if text, ok := value.Text(); ok {
		return slices.Equal(texts, []string{string(text)})
	}
	var list []string
	for elements := value.Elements(); elements.Next(); {
		text, ok := elements.Value().Text()
		if !ok {
			return false
		}
		list = append(list, string(text))
	}
	return value.Kind() == jose.Array && slices.Equal(texts, list)
}
