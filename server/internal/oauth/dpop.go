package oauth

import (
	"errors"
	"net/http"

	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/issuer"
)

// proving lets a grant type bind its tokens to the key of the request's DPoP proof (RFC 9449 §5), where there is one. A
// proof that is no good ends the request before anything is used up; one of a request that fails is good once more, so
// that nobody without a grant fills the memory of proofs.
func (s *Server) proving(w http.ResponseWriter, r *http.Request, req *tokenRequest, grant grantMethod) (issuer.Tokens, error) {
	fields := r.Header.Values(jothttp.ProofHeader)
	if len(fields) == 0 {
		return grant(s, r, req)
	}
	proof, err := s.proofs.Verify(r.Context(), jothttp.ProofRequest{Fields: fields, Method: r.Method, URL: s.issuer.URL() + "/oauth2/token"})
	if err != nil {
		if errors.Is(err, jothttp.ErrNonce) {
			w.Header().Set(jothttp.NonceHeader, s.issuer.DPoPNonce())
		}
		return issuer.Tokens{}, err
	}
	if proof.Nonce != "" {
		w.Header().Set(jothttp.NonceHeader, proof.Nonce)
	}
	req.keyThumbprint = proof.Thumbprint
	tokens, err := grant(s, r, req)
	if err != nil {
		proof.Forget()
	}
	return tokens, err
}
