//! Applications as teams have them, for every kind of box: in none of their RPMs is there anything to find.

use crate::installers::Tools;
use crate::project::{Application, Verdict, prepared};
use anyhow::ensure;
use camino::Utf8Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use wheelhaul_boxes::Target;

/// Findings on good RPMs that are right all the same: application, check, a part of what it says, and why.
const RIGHT: [(&str, &str, &str, &str); 0] = [];

/// An application for a box.
struct Good {
    /// name and Python of the box
    on: (&'static str, &'static str),
    name: &'static str,
    /// the words of `service.command`
    command: &'static str,
    pins: &'static str,
}

/// From the wheels that the comparison with installers has for el9 and Python 3.11.
const ON_EL9: [Good; 7] = [
    Good {
        on: EL9,
        name: "shop",
        command: "gunicorn shop:app",
        pins: "asgiref==3.13.0 django==5.2.19 djangorestframework==3.18.3 gunicorn==27.0.1 psycopg2-binary==2.9.13 \
            sqlparse==0.6.1 whitenoise==6.12.0",
    },
    Good {
        on: EL9,
        name: "api",
        command: "uvicorn api:app",
        pins: "annotated-doc==0.0.7 annotated-types==0.8.0 anyio==4.16.0 click==8.5.1 fastapi==0.165.0 h11==0.16.0 \
            idna==3.20 opentelemetry-api==1.45.2 orjson==3.13.0 pydantic==2.14.3 pydantic-core==2.50.4 \
            starlette==1.10.0 typing-extensions==4.16.0 typing-inspection==0.4.5 uvicorn==0.54.0",
    },
    Good {
        on: EL9,
        name: "sheets",
        command: "waitress-serve --listen={address}:{port} sheets:app",
        pins: "et-xmlfile==2.0.0 hupper==1.12.1 lxml==6.1.3 openpyxl==3.1.5 pastedeploy==3.1.0 pillow==13.0.0 \
            plaster==1.1.2 plaster-pastedeploy==1.0.1 pyramid==2.0.2 setuptools==84.2.1 translationstring==1.4 \
            venusian==3.1.1 waitress==3.0.2 webob==1.8.11 zope-deprecation==6.0 zope-interface==8.7",
    },
    Good {
        on: EL9,
        name: "traces",
        command: "gunicorn traces:app",
        pins: "blinker==1.9.0 certifi==2026.10.18 charset-normalizer==3.5.2 click==8.5.1 flask==3.1.3 \
            googleapis-common-protos==1.76.0 grpcio==1.85.1 gunicorn==27.0.1 idna==3.20 itsdangerous==2.2.0 \
            jinja2==3.1.6 markupsafe==3.0.4 opentelemetry-api==1.45.2 opentelemetry-exporter-http-transport==0.66b2 \
            opentelemetry-exporter-otlp-common==0.66b2 opentelemetry-exporter-otlp-proto-common==1.45.2 \
            opentelemetry-exporter-otlp-proto-http==1.45.2 opentelemetry-proto==1.45.2 opentelemetry-sdk==1.45.2 \
            opentelemetry-semantic-conventions==0.66b2 protobuf==7.36.2 requests==2.34.2 typing-extensions==4.16.0 \
            urllib3==2.8.0 werkzeug==3.1.9",
    },
    Good {
        on: EL9,
        name: "books",
        command: "hypercorn --bind {address}:{port} books:app",
        pins: "alembic==1.20.1 blinker==1.9.0 click==8.5.1 flask==3.1.3 flask-sqlalchemy==3.1.1 greenlet==3.5.6 \
            h11==0.16.0 h2==4.4.1 hpack==4.2.0 hypercorn==0.18.0 hyperframe==6.1.0 itsdangerous==2.2.0 jinja2==3.1.6 \
            mako==1.4.3 markupsafe==3.0.4 priority==2.0.0 sqlalchemy==2.1.9 typing-extensions==4.16.0 \
            werkzeug==3.1.9 wsproto==1.3.2",
    },
    Good {
        on: EL9,
        name: "stream",
        command: "gunicorn stream:app",
        pins: "aiohappyeyeballs==2.7.1 aiohttp==3.14.5 aiosignal==1.4.0 attrs==26.1.0 frozenlist==1.8.0 \
            gunicorn==27.0.1 idna==3.20 msgpack==1.2.4 multidict==7.2.1 propcache==0.5.4 psutil==7.2.2 \
            pymongo==4.20.0 dnspython==2.9.2 typing-extensions==4.16.0 yarl==1.25.1",
    },
    Good {
        on: EL9,
        name: "vault",
        command: "gunicorn vault:app",
        pins: "argon2-cffi==25.1.0 argon2-cffi-bindings==26.2.0 bcrypt==5.0.0 cffi==2.1.1 cryptography==50.0.2 \
            gunicorn==27.0.1 invoke==3.0.3 paramiko==5.1.0 pycparser==3.12 pynacl==1.6.2 typing-extensions==4.16.0",
    },
];
const EL9: (&str, &str) = ("el9-x86_64", "3.11");

/// With wheels of their own.
const ELSEWHERE: [Good; 7] = [
    Good {
        on: EL9,
        name: "numbers",
        command: "gunicorn numbers:app",
        pins: "contourpy==1.3.3 cycler==0.12.1 fonttools==4.68.0 gunicorn==27.0.1 kiwisolver==1.5.1 \
            matplotlib==3.11.2 numpy==2.4.6 packaging==26.3 pandas==3.1.1 pillow==13.0.0 pyparsing==3.3.3 \
            python-dateutil==4.0.0 tzdata==2026.6",
    },
    Good {
        on: ("el8-x86_64", "3.9"),
        name: "older",
        command: "gunicorn older:app",
        pins: "blinker==1.9.0 cffi==2.0.0 click==8.1.8 cryptography==47.0.0 flask==3.1.3 gunicorn==23.0.0 \
            importlib-metadata==8.7.1 itsdangerous==2.2.0 jinja2==3.1.6 markupsafe==3.0.4 packaging==26.3 \
            pycparser==2.23 pyyaml==6.0.3 typing-extensions==4.16.0 werkzeug==3.1.9 zipp==3.23.1",
    },
    Good {
        on: ("el8-x86_64", "3.6"),
        name: "oldest",
        command: "gunicorn oldest:app",
        pins: "click==8.0.4 dataclasses==0.8 flask==2.0.3 gunicorn==21.2.0 importlib-metadata==4.8.3 \
            itsdangerous==2.0.1 jinja2==3.0.3 markupsafe==2.0.1 packaging==21.3 pyparsing==3.0.7 \
            typing-extensions==4.1.1 werkzeug==2.0.3 zipp==3.6.0",
    },
    Good {
        on: ("el9-x86_64", "3.9"),
        name: "loop",
        command: "uvicorn loop:app",
        pins: "annotated-doc==0.0.5 annotated-types==0.7.0 anyio==4.12.1 click==8.1.8 exceptiongroup==1.3.1 \
            fastapi==0.128.8 h11==0.16.0 httptools==0.9.0 idna==3.20 orjson==3.11.5 pydantic==2.13.5 \
            pydantic-core==2.46.5 starlette==0.49.3 typing-extensions==4.16.0 typing-inspection==0.4.2 \
            uvicorn==0.39.0 uvloop==0.23.0",
    },
    Good {
        on: ("el10-x86_64", "3.12"),
        name: "newer",
        command: "gunicorn newer:app",
        pins: "asgiref==3.13.0 django==6.1.3 gunicorn==27.0.1 pillow==13.0.0 psycopg2-binary==2.9.13 \
            sqlparse==0.6.1 whitenoise==6.12.0",
    },
    Good {
        on: ("el9-aarch64", "3.11"),
        name: "arm",
        command: "gunicorn arm:app",
        pins: "blinker==1.9.0 cffi==2.1.1 click==8.5.1 cryptography==50.0.2 flask==3.1.3 gunicorn==27.0.1 \
            itsdangerous==2.2.0 jinja2==3.1.6 markupsafe==3.0.4 numpy==2.4.6 pycparser==3.12 werkzeug==3.1.9",
    },
    Good {
        on: ("el10-aarch64", "3.12"),
        name: "newest",
        command: "gunicorn newest:app",
        pins: "gunicorn==27.0.1 lxml==6.1.3 psycopg2-binary==2.9.13 sqlalchemy==2.1.9 typing-extensions==4.16.0",
    },
];

impl Good {
    /// Builds it, and gives what `verify` says of it and nothing excuses.
    fn findings(&self, tools: &Tools, common: &Utf8Path) -> anyhow::Result<Vec<String>> {
        let (box_name, python) = self.on;
        let pins: Vec<&'static str> = self.pins.split_whitespace().collect();
        let mut wheels = vec![common.to_owned()];
        if ELSEWHERE.iter().any(|other| other.name == self.name) {
            let target = Target::find(box_name, Some(python), None)?;
            wheels.push(tools.fetch_wheels_for(&target, &pins, &format!("good-wheels/{}", self.name))?);
        }
        let words: Vec<String> = self.command.split(' ').map(|word| format!("{word:?}")).collect();
        let application = Application {
            name: self.name,
            requirements: pins,
            code: "def app(environ, start_response):\n    return []\n",
            package: "byte-code = false",
            target: format!("[[target]]\nname = \"{box_name}\"\npython = \"{python}\""),
            service: format!("command = [{}]\nport = 8000\ntls = \"off\"", words.join(", ")),
            config: vec![("config.yaml", "a: 1\n"), ("gunicorn.conf.py", "workers = 2\n")],
        };
        let built = application.build(tools, &wheels, |_| Ok(()))?;
        let found = Verdict::of(&built.rpm, &[])?.findings();
        let is_right = |check: &str, text: &str| {
            RIGHT.iter().any(|(name, of, says, _)| *name == self.name && *of == check && text.contains(says))
        };
        let found = found.into_iter().filter(|(check, text)| !is_right(check, text));
        Ok(found.map(|(check, text)| format!("{}: {check}: {text}", self.name)).collect())
    }
}

#[test]
fn nothing_is_found_on_what_is_good() -> anyhow::Result<()> {
    let (tools, common) = prepared()?;
    let all: Vec<&Good> = ELSEWHERE.iter().chain(&ON_EL9).collect();
    ensure!(all.len() >= 10, "there are {} applications", all.len());
    let next = AtomicUsize::new(0);
    let faults = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(good) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let start = Instant::now();
                    let found =
                        good.findings(tools, common).unwrap_or_else(|error| vec![format!("{}: {error:#}", good.name)]);
                    println!("{:>4.1} s  {} for {}", start.elapsed().as_secs_f32(), good.name, good.on.0);
                    faults.lock().expect("no worker panicked").extend(found);
                }
            });
        }
    });
    // Modules for a Python that this host lacks are not compiled, which `verify` says.
    let lacks =
        |fault: &String| fault.contains("imports: not made: the package has no byte-code, and there is no CPython");
    let (lacking, mut faults): (Vec<String>, Vec<String>) = faults.into_inner()?.into_iter().partition(lacks);
    lacking.iter().for_each(|what| println!("not judged here: {what}"));
    ensure!(lacking.len() < all.len(), "no application's modules were compiled");
    faults.sort();
    ensure!(faults.is_empty(), "{} findings on good RPMs:\n{}", faults.len(), faults.join("\n"));
    Ok(())
}
