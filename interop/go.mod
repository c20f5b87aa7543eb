module github.com/jot-auth/jot/interop

go 1.26.0

require (
	github.com/go-jose/go-jose/v4 v4.1.8
	github.com/golang-jwt/jwt/v5 v5.3.1
	github.com/jot-auth/jot v0.0.0
	golang.org/x/mod v0.42.0
)
