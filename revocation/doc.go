// Package revocation refuses tokens before they expire, without a look-up per token.
//
// An issuer writes each revocation as a [Rule] into a hash-chained log ([Head]). Verifiers hold the rules that are
// still in force in memory ([Set]) and keep them fresh with a [Reader], which follows the issuer's feed: a snapshot,
// segments of the log where it's behind, then a live stream of frames. Behind a proxy that holds streams back it polls.
//
//	reader, err := revocation.NewReader(revocation.ReaderOptions{
//		URL:        "https://auth.example.com/feed",
//		Issuer:     "https://auth.example.com",
//		Keys:       feedKeys, // of the feed, not of the tokens
//		Credential: credential,
//	})
//	defer reader.Close()
//	verifier, err := jot.NewVerifier(keys, jot.VerifierOptions{Revocation: reader, …})
//
// Nothing on the way is trusted but the feed key, so snapshots and segments may come from any cache. Every frame ends
// in a signed [Statement] of the log's head, and its rules count only when they lead to exactly that head: a gap, a
// fork, a replayed, reordered or truncated frame is seen and refused. A feed that is withheld or delayed is seen too,
// because the right to answer is a lease: it ends ReaderOptions.MaxStaleness after the moment at which the issuer made
// the last statement that arrived, on the verifier's monotonic clock. Without a lease a Reader answers
// jot.ErrUnavailable rather than guess, unless another [Policy] is chosen.
//
// A Reader registers with the issuer, under a random ID, and when a statement asks for it acknowledges up to where the
// rules are in force: so a change can be answered when no verifier accepts what it refuses (?wait=enforced).
// [Reader.AwaitSequence] is the other direction: an API waits for rules that its caller knows of.
//
// What it can't do: a holder of the feed key can forge rules or withhold them, and a feed that shows
// two verifiers two different, well-signed logs isn't seen by either of them alone.
package revocation
