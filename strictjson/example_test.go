package strictjson_test

import (
	"errors"
	"fmt"

	"github.com/jot-auth/jot/strictjson"
)

func ExampleValid() {
	fmt.Println(strictjson.Valid([]byte(`{"role":"user","tags":["a","b"]}`)))
	fmt.Println(strictjson.Valid([]byte(`{"role":"user","Role":"admin"}`)))
	// Output:
	// <nil>
	// name appears twice in one object, or differs in letter case only at byte 15
}

func ExampleUnmarshal() {
	var user struct {
		Name string `json:"name"`
		Role string `json:"role"`
	}
	err := strictjson.Unmarshal([]byte(`{"name":"ann","ROLE":"admin"}`), &user)
	fmt.Printf("%+v %v\n", user, err)
	// Output:
	// {Name:ann Role:} <nil>
}

func ExampleUnmarshalKnown() {
	var signUp struct {
		Name string `json:"name"`
	}
	err := strictjson.UnmarshalKnown([]byte(`{"name":"ann","roles":["admin"]}`), &signUp)
	fmt.Println(err)

	var unknown *strictjson.UnknownMemberError
	if errors.As(err, &unknown) {
		fmt.Println(unknown.Name)
	}
	// Output:
	// unknown member "roles" at byte 14
	// roles
}

func ExampleSyntaxError() {
	var v any
	err := strictjson.Unmarshal([]byte(`{"a":1,}`), &v)

	var syntax *strictjson.SyntaxError
	if errors.As(err, &syntax) {
		fmt.Println(syntax.Offset, syntax.Reason)
	}
	// Output:
	// 7 expected a member's name
}
