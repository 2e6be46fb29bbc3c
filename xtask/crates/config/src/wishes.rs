//! Keys that people wish for and `package.toml` does not have, with where the thing is said instead, or that it is
//! not there. A row that gets its key in a later version is deleted.

use crate::checks::NEVER;
use toml::de::DeValue;

/// Keys, and the answer for all of them.
pub(super) struct Row {
    /// tables that the row is for, as `service`; "" is the top of the file, `*` is any
    pub tables: &'static [&'static str],
    pub keys: &'static [&'static str],
    pub answer: &'static str,
}

/// The first row that fits is taken.
#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row { tables: &[""], keys: &["application", "program", "project"],
        answer: "the application has the table `[app]`, and the RPM `[package]`" },
    // What is packed.
    Row { tables: &["*"], keys: &["required-version", "requires-version", "min-version", "minimum-version", "tool-version", "wheelhaul"],
        answer: "which versions of this tool may be used is said at the top of the file, above every table: `required-version = \">=0.2,<0.3\"`" },
    Row { tables: &["*"], keys: &["version"],
        answer: "the version is the application's own: write `version` into its `pyproject.toml`, or with `modules` under `[app]`" },
    Row { tables: &["*"], keys: &["epoch"],
        answer: "the RPM's epoch is that of the application's version: `1!2.0`" },
    Row { tables: &["*"], keys: &["description", "readme", "long-description"],
        answer: "the description is made by this tool; write one line of your own as `summary` under `[package]`" },
    Row { tables: &["*"], keys: &["maintainer", "maintainers", "packager", "author", "authors", "publisher"],
        answer: "write who ships the RPM as `vendor` under `[package]`" },
    Row { tables: &["*"], keys: &["homepage", "home-page", "website", "urls"],
        answer: "write the home page as `url` under `[package]`" },
    Row { tables: &["*"], keys: &["licence", "license-file", "license-files"],
        answer: "write an SPDX expression as `license` under `[package]`; files of licences are taken from the wheels" },
    Row { tables: &["*"], keys: &["changelog"],
        answer: "the RPM's changelog is made from the commit; leave it out" },
    Row { tables: &["*"], keys: &["arch", "architecture", "architectures", "platform", "platforms", "os", "distro", "distribution", "boxes"],
        answer: "the name of a target says system and processor: `[[target]]` with `name = \"el9-x86_64\"`, one table a box; a box of your own has `arch` under `[target.box]`" },
    Row { tables: &["", "package", "app", "service"], keys: &["python", "python-version", "python_version", "requires-python", "interpreter"],
        answer: "each target has its Python: `python = \"3.11\"` under `[[target]]`; what the application needs is `requires-python` in its `pyproject.toml`" },
    Row { tables: &["target"], keys: &["python-version", "python_version", "requires-python", "interpreter"],
        answer: "write `python = \"3.11\"`, or `python-full = \"3.11.9\"` where a marker depends on it" },
    Row { tables: &["", "package", "app", "service", "target"], keys: &["requires", "require", "system-packages", "packages", "rpms", "system-dependencies", "system-requires"],
        answer: "packages of the box that the application needs are named under `[package]`, or under the `[[target]]` that they are for: `requires = [\"redis >= 6\"]`; the interpreter and the libraries of compiled files are found by `lock`" },
    Row { tables: &["", "package", "app", "service", "target"], keys: &["recommends", "suggests", "supplements", "enhances"],
        answer: "packages that dnf installs along where it can are named under `[package]`: `recommends = [\"logrotate\"]`" },
    Row { tables: &["", "app", "service", "target"], keys: &["conflicts"],
        answer: "packages that cannot be installed beside the RPM are named under `[package]`: `conflicts = [\"other-app\"]`" },
    Row { tables: &["*"], keys: &["obsoletes", "replaces"],
        answer: "packages that the RPM takes the place of are named under `[package]`: `obsoletes = [\"old-app < 2\"]`" },
    Row { tables: &["", "package", "app", "service"], keys: &["depends", "dependencies", "dependency", "requirements", "install-requires", "install_requires", "lockfile", "lock-file", "lock_file", "pipfile"],
        answer: "what the application depends on comes from the team's lock: `lock = \"requirements.txt\"` under `[app]`" },
    Row { tables: &["", "package", "app"], keys: &["dev-dependencies", "optional-dependencies", "dependency-groups", "dev", "group", "extra"],
        answer: "under `[app]`, name what goes on the box beside the plain dependencies: `groups = [\"web\"]`, `extras = [\"postgres\"]`; groups for development stay out" },
    Row { tables: &["*"], keys: &["provides"],
        answer: "there is no such key: the RPM provides its own name and the names of what it bundles" },
    Row { tables: &["*"], keys: &["files", "data-files", "data_files", "include", "exclude", "package-data", "package_data", "assets", "ignore", "excludes", "includes"],
        answer: "what of the application is packed is said to its build backend, in its `pyproject.toml`; files that an administrator may change are `config = [\"config.yaml\"]` under `[app]`" },
    Row { tables: &["*"], keys: &["config-files", "config_files", "conffiles", "configs", "configuration", "settings"],
        answer: "name files that an administrator may change, relative to `app.path`: `config = [\"config.yaml\"]` under `[app]`" },
    Row { tables: &["*"], keys: &["scripts", "scriptlets", "hooks", "pre", "post", "preun", "postun", "pre-install", "post-install", "preinstall", "postinstall", "pre-start", "post-start"],
        answer: "there is no such key: the RPM's scripts are this tool's own, so that they can be judged; console scripts are `[project.scripts]` in the application's `pyproject.toml`" },
    Row { tables: &["*"], keys: &["index", "index-url", "index_url", "extra-index-url", "indexes", "registry", "mirror", "repository", "repositories", "source", "sources"],
        answer: "the index is configured where uv and pip look: `uv.toml`, `pip.conf`, `UV_INDEX_URL`, `PIP_INDEX_URL`; no URL is in this file" },
    Row { tables: &["*"], keys: &["gpg-key", "gpg_key", "signing-key", "signing", "passphrase", "key-id"],
        answer: "name the key under `[sign]`: `key = \"packages@corp.example\"`; gpg's agent asks for the passphrase" },
    // How it is served.
    Row { tables: &["*"], keys: &["workers", "worker", "threads", "timeout", "keepalive", "worker-class", "processes", "concurrency"],
        answer: "give the server its options in the command: `command = [\"gunicorn\", \"--workers\", \"4\", \"app:app\"]` under `[service]`" },
    Row { tables: &["*"], keys: &["cmd", "exec", "run", "start", "exec-start", "entrypoint", "entry-point", "entry_point", "application", "wsgi", "asgi", "module", "server", "args"],
        answer: "write what is started, each word by itself: `command = [\"gunicorn\", \"app:app\"]` under `[service]`" },
    Row { tables: &["*"], keys: &["host", "bind", "listen", "interface", "ip"],
        answer: "write the address under `[service]`: `address = \"127.0.0.1\"`; it is every address if absent" },
    Row { tables: &["*"], keys: &["ports"],
        answer: "a service has one port: `port = 8000` under `[service]`" },
    Row { tables: &["", "app", "package", "service"], keys: &["ssl", "https", "cert", "certificate", "certfile", "keyfile", "key", "http"],
        answer: "write it as `tls` under `[service]`: `tls = \"self-signed\"`, `tls = \"off\"`, or `tls = { cert = \"/etc/pki/tls/certs/my-app.crt\", key = \"/etc/pki/tls/private/my-app.key\" }`" },
    Row { tables: &["*"], keys: &["nginx", "proxy", "reverse-proxy", "domain", "server-name", "server_name", "hostname"],
        answer: "a reverse proxy is not packed; behind one, write `address = \"127.0.0.1\"` and `tls = \"off\"` under `[service]`" },
    Row { tables: &["*"], keys: &["env", "envs", "variables", "vars", "environ", "environment"],
        answer: "write variables under `[service.environment]`, such as `LOG_LEVEL = \"info\"`; /etc/sysconfig/NAME on the box has the last word" },
    Row { tables: &["*"], keys: &["env-file", "env_file", "environment-file", "dotenv"],
        answer: "write variables under `[service.environment]`; an administrator sets others in /etc/sysconfig/NAME on the box, and secrets are `secrets = [\"db-password\"]` under `[service]`" },
    Row { tables: &["*"], keys: &["secret", "credentials", "passwords", "password"],
        answer: "name secrets under `[service]`, `secrets = [\"db-password\"]`; an administrator puts them on the box, and the file never holds one" },
    Row { tables: &["*"], keys: &["user", "group", "owner", "run-as", "username"],
        answer: "there is no such key: the service runs as a user of its own, which has the name of `package.name` and is made by the RPM" },
    Row { tables: &["*"], keys: &["volumes", "volume", "data", "data-dir", "data_dir", "state", "state-dir", "storage", "mounts", "directories", "folders"],
        answer: "the application may write below /var/lib/NAME, which is its own; allow another folder under `[service.unit]`: `ReadWritePaths = \"/srv/data\"`" },
    Row { tables: &["*"], keys: &["working-directory", "working_directory", "workdir", "cwd", "chdir", "directory"],
        answer: "there is no such key: the service is started in the application's folder, which only root can write; its own files are below /var/lib/NAME" },
    Row { tables: &["*"], keys: &["memory", "memory-limit", "memory_limit", "cpu", "cpus", "limits", "resources", "nofile", "ulimits"],
        answer: "write limits as systemd has them under `[service.unit]`: `MemoryMax = \"1G\"`, `CPUQuota = \"50%\"`, `LimitNOFILE = \"65536\"`" },
    Row { tables: &["*"], keys: &["restart", "restart-policy", "restart-sec"],
        answer: "the service is restarted after a crash; how, is `Restart = \"on-failure\"` and the like under `[service.unit]`" },
    Row { tables: &["*"], keys: &["after", "before", "wants", "wanted-by", "part-of", "depends-on", "depends_on"],
        answer: "write keys of the unit's [Unit] as systemd has them under `[service.unit]`: `After = \"postgresql.service\"`, `Requires`, `RequiresMountsFor = \"/srv/data\"`" },
    Row { tables: &["*"], keys: &["systemd", "unit-file", "drop-in"],
        answer: "write keys of the unit's [Service] and [Unit] under `[service.unit]`: `MemoryMax = \"1G\"`, `After = \"postgresql.service\"`" },
    Row { tables: &["*"], keys: &["log", "logs", "logging", "log-file", "log-dir", "log-level", "logfile"],
        answer: "what the application writes to standard output and standard error goes to the journal (`journalctl -u NAME`); its level is a variable or an option of its own" },
    Row { tables: &["*"], keys: &["health", "healthcheck", "health-check", "readiness"],
        answer: "there is no such key: a start waits until the service answers on its port" },
    Row { tables: &["*"], keys: &["cron", "crontab", "timer", "timers", "schedule", "schedules", "jobs", "tasks", "periodic"],
        answer: "there is no such key yet: a package has one service; an administrator's own timer can run `NAME-run COMMAND`, which has the service's user, environment and secrets" },
    Row { tables: &["*"], keys: &["celery", "worker-command", "services", "procfile", "queue", "queues"],
        answer: "a package has one `[service]`: what runs beside it, such as a worker, is a package of its own, with its own `dist/package.toml`" },
    Row { tables: &["*"], keys: &["migrations", "migrate", "migration", "migration-command", "init-command", "setup"],
        answer: "there is no such key yet: an administrator runs migrations after an upgrade, by `NAME-run COMMAND`, which has the service's user, environment and secrets" },
    Row { tables: &["*"], keys: &["database", "db", "postgres", "redis", "mysql"],
        answer: "a database is not packed; tell the application where it is under `[service.environment]`, and name its password in `secrets` under `[service]`" },
    Row { tables: &["*"], keys: &["static", "static-files", "static_root", "templates", "media"],
        answer: "there is no such key: templates and static files are parts of the application's wheel, which its build backend has to be told in `pyproject.toml`" },
    Row { tables: &["*"], keys: &["docker", "image", "container", "containers", "dockerfile"],
        answer: "there is no such key: what is made is an RPM, for boxes without containers" },
    Row { tables: &["*"], keys: &["firewall", "selinux", "sysctl", "fapolicyd"],
        answer: "there is no such key: the rules of the box are its administrator's" },
    Row { tables: &["", "package", "app", "service"], keys: &["box", "target-box"],
        answer: "describe a box of your own under `[target.box]`, below the `[[target]]` that it is of" },
    Row { tables: &["*"], keys: &["tool", "build-system", "project"],
        answer: "that belongs into `pyproject.toml`; this file is `dist/package.toml`" },
];

/// The answer for a key in a table, where it is wished for.
pub(super) fn answer(table: &str, key: &str) -> Option<&'static str> {
    let is_for = |row: &&Row| row.keys.contains(&key) && (row.tables.contains(&"*") || row.tables.contains(&table));
    ROWS.iter().find(is_for).map(|row| row.answer)
}

/// The answer for a value of the wrong type, where it tells what was meant.
pub(super) fn of_value(table: &str, key: &str, value: &DeValue<'_>) -> Option<&'static str> {
    match (table, key, value) {
        ("service", "tls", DeValue::Boolean(true)) => {
            Some("write `tls = \"self-signed\"`, or name the files of a certificate")
        }
        ("service", "tls", DeValue::Boolean(false)) => Some("write `tls = \"off\"`"),
        ("package", "license", DeValue::Table(_)) => Some("write an SPDX expression: `license = \"MIT\"`"),
        ("accept", "check", DeValue::String(text)) if NEVER.contains(&text.as_ref()) => Some(
            "what this check finds cannot be accepted: digests, signatures, RECORD, scriptlets, units, secrets and all that acts as root",
        ),
        ("", "service", DeValue::Array(_)) => Some("a package has one service: write a single `[service]`"),
        _ => None,
    }
}
