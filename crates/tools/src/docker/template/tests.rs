use super::super::value::Value;
use super::Template;

fn data() -> Value {
    let endpoint =
        |address: &str| Value::fields([("IPAddress", address.into()), ("Aliases", Value::NilList)]);
    let networks = Value::Map(vec![("a".to_owned(), endpoint("10.0.0.2")), ("b-c".to_owned(), endpoint(""))]);
    let port = Value::List(vec![Value::fields([("HostIp", "0.0.0.0".into()), ("HostPort", "8080".into())])]);
    Value::fields([
        ("Id", "0123456789abcdef".into()),
        ("Name", "/c1".into()),
        ("Count", 3.into()),
        ("Networks", networks),
        ("Ports", Value::Map(vec![("80/tcp".to_owned(), port)])),
        ("\0Label", Value::Map(vec![("x".to_owned(), "y".into())])),
    ])
}

fn run(template: &str) -> Result<String, String> {
    Template::parse(template)?.run(&data(), "")
}

/// What Docker CLI 28 prints for the same templates over the same data.
#[test]
fn templates_that_people_write() {
    for (template, text) in [
        ("{{.Name}}", "/c1"),
        ("{{.ID}} {{ .Id }}", "0123456789abcdef 0123456789abcdef"),
        ("{{range .Networks}}{{.IPAddress}}{{end}}", "10.0.0.2"),
        ("{{range $k, $v := .Networks}}{{$k}}={{$v.IPAddress}};{{end}}", "a=10.0.0.2;b-c=;"),
        ("{{.Networks.a.IPAddress}}", "10.0.0.2"),
        ("{{(index .Networks \"a\").IPAddress}}", "10.0.0.2"),
        ("{{(index (index .Ports \"80/tcp\") 0).HostPort}}", "8080"),
        ("{{json .Ports}}", r#"{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}]}"#),
        ("{{with .Networks.a}}{{.IPAddress}}{{else}}none{{end}}", "10.0.0.2"),
        ("{{if eq .Name \"/c1\"}}yes{{else}}no{{end}}", "yes"),
        ("{{if and (gt .Count 2) (lt .Count 4)}}in{{else if true}}out{{end}}", "in"),
        ("{{if gt .Count 3}}a{{else if eq .Count 3}}b{{else}}c{{end}}", "b"),
        ("{{len .Networks}} {{slice .Id 0 4}} {{truncate .Id 3}}", "2 0123 012"),
        ("{{.Name | upper | printf \"%-6s|\"}}", "/C1   |"),
        ("{{printf \"%s:%d\" .Name .Count}}{{println}}", "/c1:3\n"),
        ("{{range $i, $e := .Networks}}{{$i}}{{println $e.IPAddress}}{{end}}", "a10.0.0.2\nb-c\n"),
        ("a {{- \" b \" -}} c{{/* not seen */}}", "a b c"),
        ("{{.Label \"x\"}}", "y"),
        ("{{$n := .Name}}{{$n}}{{$n = \"z\"}}{{$n}}{{$.Count}}", "/c1z3"),
        ("{{.Networks.zz}}", "<no value>"),
        ("{{.Networks.a.Aliases}}{{`raw\\n`}}", "[]raw\\n"),
        ("{{join (split \"a,b\" \",\") \"-\"}} {{title \"ab cd\"}}", "a-b Ab Cd"),
    ] {
        assert_eq!(run(template).as_deref(), Ok(text), "{template}");
    }
}

#[test]
fn what_is_wrong_is_said_as_go_does() {
    for (template, text) in [
        ("{{.Name", "template parsing error: template: :1: unclosed action"),
        ("{{foo .Name}}", "template parsing error: template: :1: function \"foo\" not defined"),
        ("{{range .Networks}}", "template parsing error: template: :1: unexpected EOF"),
        ("{{end}}", "template parsing error: template: :1: unexpected {{end}}"),
        (
            "{{.Nope}}",
            "template parsing error: template: :1:2: executing \"\" at <.Nope>: map has no entry for key \"Nope\"",
        ),
    ] {
        assert_eq!(run(template), Err(text.to_owned()), "{template}");
    }
    let error =
        Template::parse("{{.Foo}}").and_then(|template| template.run(&data(), "*network.networkContext"));
    let text = "template parsing error: template: :1:2: executing \"\" at <.Foo>: can't evaluate field Foo in type \
                *network.networkContext";
    assert_eq!(error, Err(text.to_owned()));
}

#[test]
fn nothing_panics_on_strange_templates() {
    for template in [
        "{{",
        "}}",
        "{{}}",
        "{{ | }}",
        "{{((((}}",
        "{{.}}{{..}}",
        "{{\"",
        "{{`",
        "{{$}}",
        "{{$x}}",
        "{{é}}",
        "{{-}}",
        "{{- -}}",
    ] {
        let _ = run(template);
    }
    let deep = "{{if 1}}".repeat(500);
    assert!(run(&deep).is_err());
    assert!(run(&format!("{{{{{}1{}}}}}", "(".repeat(500), ")".repeat(500))).is_err());
}
