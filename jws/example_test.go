package jws_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jws"
)

func Example() {
	ctx := context.Background()
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		log.Fatal(err)
	}

	signer, err := jws.NewSigner(jws.SignerOptions{Type: "greeting", ContentType: "text/plain"}, key)
	if err != nil {
		log.Fatal(err)
	}
	message, err := signer.Sign(ctx, []byte("hello, world"))
	if err != nil {
		log.Fatal(err)
	}

	verifier, err := jws.NewVerifier(jws.VerifierOptions{Type: "greeting"}, jot.NewKeySet(key.Public()))
	if err != nil {
		log.Fatal(err)
	}
	verified, err := verifier.Verify(ctx, []byte(message))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s (%s)\n", verified.Payload(), verified.Signatures()[0].ContentType())
	// Output: hello, world (text/plain)
}

// A webhook: the body is sent as it is, and its signature in a header.
func ExampleVerifier_VerifyDetached() {
	key, err := jot.GenerateSecretKey(jot.HS256)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := jws.NewVerifier(jws.VerifierOptions{Type: "webhook", Unencoded: true}, jot.NewSecretKeySet(key))
	if err != nil {
		log.Fatal(err)
	}
	receive := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		message, err := verifier.VerifyDetached(r.Context(), []byte(r.Header.Get("Signature-JWS")), body)
		switch {
		case errors.Is(err, jot.ErrUnavailable):
			http.Error(w, "try again soon", http.StatusServiceUnavailable)
		case err != nil:
			http.Error(w, "not signed by us", http.StatusUnauthorized)
		default:
			fmt.Fprintf(w, "received %s", message.Payload())
		}
	}

	signer, err := jws.NewSigner(jws.SignerOptions{Type: "webhook", Detached: true, Unencoded: true}, key)
	if err != nil {
		log.Fatal(err)
	}
	body := `{"event":"order.paid"}`
	signature, err := signer.Sign(context.Background(), []byte(body))
	if err != nil {
		log.Fatal(err)
	}
	for _, sent := range []string{body, strings.Replace(body, "paid", "lost", 1)} {
		request := httptest.NewRequest("POST", "/webhook", strings.NewReader(sent))
		request.Header.Set("Signature-JWS", signature)
		answer := httptest.NewRecorder()
		receive(answer, request)
		fmt.Println(answer.Code, strings.TrimSpace(answer.Body.String()))
	}
	// Output:
	// 200 received {"event":"order.paid"}
	// 401 not signed by us
}

// A contract that buyer and seller both have to sign.
func ExampleNewVerifier_severalSigners() {
	ctx := context.Background()
	buyer, _ := jot.GenerateKey(jot.ES256)
	seller, _ := jot.GenerateKey(jot.EdDSA)
	bank, _ := jot.GenerateKey(jot.EdDSA)

	signer, err := jws.NewSigner(jws.SignerOptions{Type: "contract"}, buyer, seller)
	if err != nil {
		log.Fatal(err)
	}
	document, err := signer.SignJSON(ctx, []byte("one bicycle"))
	if err != nil {
		log.Fatal(err)
	}

	buyerKeys, sellerKeys, bankKeys := jot.NewKeySet(buyer.Public()), jot.NewKeySet(seller.Public()), jot.NewKeySet(bank.Public())
	both, err := jws.NewVerifier(jws.VerifierOptions{Type: "contract"}, buyerKeys, sellerKeys)
	if err != nil {
		log.Fatal(err)
	}
	message, err := both.Verify(ctx, document)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %d signatures\n", message.Payload(), len(message.Signatures()))

	withBank, err := jws.NewVerifier(jws.VerifierOptions{Type: "contract"}, buyerKeys, sellerKeys, bankKeys)
	if err != nil {
		log.Fatal(err)
	}
	_, err = withBank.Verify(ctx, document)
	fmt.Println(err)
	// Output:
	// one bicycle: 2 signatures
	// jws: required signer 3 of 3: no key for this signature in the key source
}

// The seller gets the contract from the buyer, checks it, and signs it too.
func ExampleSigner_Cosign() {
	ctx := context.Background()
	buyer, _ := jot.GenerateKey(jot.ES256)
	seller, _ := jot.GenerateKey(jot.ES256)
	o := jws.SignerOptions{Type: "contract"}

	first, err := jws.NewSigner(o, buyer)
	if err != nil {
		log.Fatal(err)
	}
	draft, err := first.SignJSON(ctx, []byte("one bicycle"))
	if err != nil {
		log.Fatal(err)
	}

	byBuyer, err := jws.NewVerifier(jws.VerifierOptions{Type: "contract"}, jot.NewKeySet(buyer.Public()))
	if err != nil {
		log.Fatal(err)
	}
	verified, err := byBuyer.Verify(ctx, draft)
	if err != nil {
		log.Fatal(err)
	}
	second, err := jws.NewSigner(o, seller)
	if err != nil {
		log.Fatal(err)
	}
	contract, err := second.Cosign(ctx, verified)
	if err != nil {
		log.Fatal(err)
	}

	byBoth, err := jws.NewVerifier(jws.VerifierOptions{Type: "contract"}, jot.NewKeySet(buyer.Public()), jot.NewKeySet(seller.Public()))
	if err != nil {
		log.Fatal(err)
	}
	message, err := byBoth.Verify(ctx, contract)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(message.Signatures()))
	// Output: 2
}

// An extension of one's own: whoever doesn't know what "expires" means must refuse the message.
func ExampleSignature_DecodeHeader() {
	ctx := context.Background()
	key, _ := jot.GenerateKey(jot.EdDSA)
	signer, err := jws.NewSigner(jws.SignerOptions{
		Type: "voucher", Header: map[string]any{"expires": 2026}, Critical: []string{"expires"},
	}, key)
	if err != nil {
		log.Fatal(err)
	}
	voucher, err := signer.Sign(ctx, []byte("one coffee"))
	if err != nil {
		log.Fatal(err)
	}

	verifier, err := jws.NewVerifier(jws.VerifierOptions{Type: "voucher", Critical: []string{"expires"}}, jot.NewKeySet(key.Public()))
	if err != nil {
		log.Fatal(err)
	}
	message, err := verifier.Verify(ctx, []byte(voucher))
	if err != nil {
		log.Fatal(err)
	}
	var header struct {
		Expires int `json:"expires"`
	}
	if err := message.Signatures()[0].DecodeHeader(&header); err != nil {
		log.Fatal(err)
	}
	fmt.Println(header.Expires >= 2026)
	// Output: true
}

func ExampleSigner_SignJSON() {
	key, err := jot.GenerateSecretKey(jot.HS256)
	if err != nil {
		log.Fatal(err)
	}
	signer, err := jws.NewSigner(jws.SignerOptions{Type: "price", Unencoded: true}, key)
	if err != nil {
		log.Fatal(err)
	}
	message, err := signer.SignJSON(context.Background(), []byte("$.02"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.17s\n", message)
	// Output: {"payload":"$.02"
}
