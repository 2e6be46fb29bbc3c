//! The applications, a row each.

/// Where each of them listens.
pub const PORT: u16 = 8000;

/// A published application, and what proves that it works.
#[derive(Debug)]
pub struct Application {
    /// of the row and its lock in `tests/locks/gallery`
    pub name: &'static str,
    /// the package of the index whose release is told
    pub distribution: &'static str,
    /// modules of the package: path and text
    pub files: &'static [(&'static str, &'static str)],
    /// more of `[package]`, and tables before `[app]`
    pub package_keys: &'static str,
    /// more of `[service]`, and tables after it
    pub service_keys: &'static str,
    /// parts of the warnings that are right
    pub warnings: &'static [&'static str],
    /// packages of Debian that the machine has beside its own
    pub debian: &'static [&'static str],
    /// commands that are run as the service before the first start
    pub before: &'static [&'static [&'static str]],
    /// a command that is run as the service all the time
    pub beside: &'static [&'static str],
    /// requests, the path last, and what the answer says
    pub pages: &'static [(&'static [&'static str], &'static str)],
}

impl Application {
    /// The name of the RPM, of the unit and of the user: the published name belongs to the dependency.
    pub fn package(&self) -> String {
        format!("our-{}", self.name)
    }
}

const PLAIN: Application = Application {
    name: "",
    distribution: "",
    files: &[],
    package_keys: "",
    service_keys: "",
    warnings: &[],
    debian: &[],
    before: &[],
    beside: &[],
    pages: &[],
};

macro_rules! file {
    ($path:literal, $from:literal) => {
        ($path, include_str!($from))
    };
}

pub const APPLICATIONS: &[Application] = &[
    Application {
        name: "datasette",
        distribution: "datasette",
        files: &[
            file!("metadata.json", "datasette/metadata.json"),
            file!("templates/query.html", "datasette/query.html"),
        ],
        service_keys: "command = [\"datasette\", \"serve\", \"--host\", \"{address}\", \"--port\", \"{port}\", \"--create\", \
                       \"/var/lib/our-datasette/data.db\", \"--metadata\", \"/opt/our-datasette/metadata.json\", \
                       \"--template-dir\", \"/opt/our-datasette/templates\"]\n",
        pages: &[
            (&["/data.json?sql=select+6*7+as+answer"], "[42]"),
            (&["/data?sql=select+6*7+as+answer"], "A template of our own"),
            (&["/"], "Packed into an RPM"),
            (&["/-/static/app.css"], "box-sizing"),
        ],
        ..PLAIN
    },
    Application {
        name: "django",
        distribution: "django",
        files: &[
            ("shop/__init__.py", ""),
            file!("shop/pages.py", "django/pages.py"),
            file!("shop/settings.py", "django/settings.py"),
            file!("shop/tasks.py", "django/tasks.py"),
            file!("shop/templates/report.html", "django/report.html"),
        ],
        service_keys: "command = [\"gunicorn\", \"django.core.wsgi:get_wsgi_application()\"]\n\
                       [service.environment]\nDJANGO_SETTINGS_MODULE = \"shop.settings\"\n",
        before: &[
            &["django-admin", "migrate"],
            &["django-admin", "collectstatic", "--noinput"],
            &["mkdir", "/var/lib/our-django/queue"],
        ],
        beside: &["celery", "--app", "shop.tasks", "worker", "--pool", "solo"],
        pages: &[
            (&["/report"], "The worker says 42. There are 0 users. PostgreSQL: connection"),
            (&["/admin/login/"], "Django administration"),
            (&["/static/admin/css/base.css"], "--primary"),
        ],
        ..PLAIN
    },
    Application {
        name: "weasyprint",
        distribution: "weasyprint",
        files: &[file!("page.py", "weasyprint/page.py")],
        package_keys: "optional-libraries = [\"libharfbuzz-vector.so.0\"]\n\
                       requires = [\"libpango-1.0.so.0()(64bit)\", \"libpangoft2-1.0.so.0()(64bit)\", \
                       \"libharfbuzz.so.0()(64bit)\", \"libharfbuzz-subset.so.0()(64bit)\", \"libfontconfig.so.1()(64bit)\", \
                       \"libgobject-2.0.so.0()(64bit)\"]\n",
        service_keys: "command = [\"gunicorn\", \"page:app\"]\n",
        debian: &["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core"],
        pages: &[(&["/report.pdf"], "%PDF-1.7"), (&["/report.pdf"], "/FontDescriptor")],
        ..PLAIN
    },
    Application {
        name: "jupyterlab",
        distribution: "jupyterlab",
        // Accepted in the row.
        warnings: &["attach_linux_amd64.so", "warning   symbols ", "warning   accepted "],
        files: &[
            file!("answer.ipynb", "jupyterlab/answer.ipynb"),
            file!("jupyter_server_config.json", "jupyterlab/jupyter_server_config.json"),
        ],
        service_keys: "command = [\"jupyter-lab\", \"--ip={address}\", \"--port={port}\", \
                       \"--config=/opt/our-jupyterlab/jupyter_server_config.json\"]\n\
                       [[accept]]\ncheck = \"symbols\"\n\
                       path = \"lib/debugpy/_vendored/pydevd/pydevd_attach_to_process/attach_linux_amd64.so\"\n\
                       why = \"attaches to a running process, which notebooks do not; el8 could not load it\"\n",
        before: &[&[
            "jupyter",
            "nbconvert",
            "--execute",
            "--to=notebook",
            "--output-dir=/var/lib/our-jupyterlab",
            "/opt/our-jupyterlab/answer.ipynb",
        ]],
        pages: &[
            (&["/lab"], "jupyter-config-data"),
            (&["/lab/api/themes/@jupyterlab/theme-light-extension/index.css"], "--jp-"),
            (&["/api/kernelspecs"], "Python 3 (ipykernel)"),
            (&["--data", "{}", "/api/kernels"], "\"name\": \"python3\""),
            // A kernel has run it; the server's own would stay `starting` until a browser talks to it.
            (&["/nbconvert/html/answer.ipynb"], "<pre>The kernel says 42"),
        ],
        ..PLAIN
    },
    Application {
        name: "gradio",
        distribution: "gradio",
        files: &[file!("demo.py", "gradio/demo.py")],
        service_keys: "command = [\"uvicorn\", \"demo:app\"]\n\
                       [service.environment]\nGRADIO_ANALYTICS_ENABLED = \"False\"\n",
        pages: &[
            (&["/demo/"], "A demonstration"),
            (&["/demo/gradio_api/info"], "/greet"),
            (&["--json", "{\"data\": [\"box\"]}", "/demo/gradio_api/run/greet"], "Hello, box"),
            (&["/demo/static/img/logo.svg"], "<svg"),
        ],
        ..PLAIN
    },
    Application {
        name: "mlflow",
        distribution: "mlflow",
        // Nothing of one's own is needed, and a package without a module is refused.
        files: &[("README.md", "Experiments of all teams.\n")],
        service_keys: "command = [\"mlflow\", \"server\", \"--host\", \"{address}\", \"--port\", \"{port}\", \"--workers\", \"1\", \
                       \"--backend-store-uri\", \"sqlite:////var/lib/our-mlflow/mlflow.db\", \
                       \"--artifacts-destination\", \"/var/lib/our-mlflow/artifacts\"]\n",
        before: &[&["mlflow", "db", "upgrade", "sqlite:////var/lib/our-mlflow/mlflow.db"]],
        pages: &[
            (&["/"], "<title>MLflow</title>"),
            (&["--json", "{\"name\": \"first\"}", "/api/2.0/mlflow/experiments/create"], "experiment_id"),
            (&["/api/2.0/mlflow/experiments/get-by-name?experiment_name=first"], "\"lifecycle_stage\": \"active\""),
        ],
        ..PLAIN
    },
    Application {
        name: "airflow",
        distribution: "apache-airflow",
        files: &[file!("dags/answer.py", "airflow/answer.py")],
        service_keys: "command = [\"airflow\", \"standalone\"]\n[service.unit]\nTimeoutStartSec = \"600\"\n\
                       [service.environment]\nAIRFLOW_HOME = \"/var/lib/our-airflow\"\n\
                       AIRFLOW__API__HOST = \"{address}\"\nAIRFLOW__API__PORT = \"{port}\"\n\
                       AIRFLOW__API__BASE_URL = \"http://127.0.0.1:8000\"\nAIRFLOW__API__WORKERS = \"1\"\n\
                       AIRFLOW__CORE__DAGS_FOLDER = \"/opt/our-airflow/dags\"\nAIRFLOW__CORE__LOAD_EXAMPLES = \"False\"\n\
                       AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION = \"False\"\n\
                       AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS = \"True\"\n",
        before: &[&["airflow", "db", "migrate"]],
        pages: &[
            (&["--output", "/dev/null", "--write-out", "%{content_type}", "/static/pin_32.png"], "image/png"),
            (&["/api/v2/monitor/health"], "\"scheduler\":{\"status\":\"healthy\""),
            (&["--location", "--cookie-jar", "/run/airflow", "/auth/token/login"], "<title>Airflow</title>"),
            (
                &["--cookie", "/run/airflow", "--json", "{\"logical_date\": null}", "/api/v2/dags/answer/dagRuns"],
                "\"dag_id\":\"answer\"",
            ),
            // A process of its own has run the task, and said so to the server.
            (&["--cookie", "/run/airflow", "/api/v2/dags/answer/dagRuns"], "\"state\":\"success\""),
        ],
        ..PLAIN
    },
    Application {
        name: "superset",
        distribution: "apache-superset",
        // Helpers for other processors.
        warnings: &["selenium/webdriver/common/linux-arm64/selenium-manager", "warning   elf "],
        files: &[file!("superset_config.py", "superset/superset_config.py")],
        service_keys: "command = [\"gunicorn\", \"superset.app:create_app()\", \"--timeout\", \"120\"]\n\
                       [service.environment]\nFLASK_APP = \"superset.app:create_app()\"\n\
                       [sdist]\nbuild = [\"odfpy\", \"wtforms-json\"]\n",
        before: &[&["superset", "db", "upgrade"], &["superset", "init"]],
        pages: &[
            (&["/login/"], "Superset"),
            (
                &["--output", "/dev/null", "--write-out", "%{content_type}", "/static/assets/images/favicon.png"],
                "image/png",
            ),
            (&["/health"], "OK"),
        ],
        ..PLAIN
    },
];
