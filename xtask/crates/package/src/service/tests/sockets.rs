//! When systemd listens in place of the server, and where.

use super::{facts, service};
use crate::service::command::ServiceProgram;
use wheelhaul_boxes::Target;
use wheelhaul_config::Tls;

#[test]
fn a_low_port_needs_a_capability_only_where_the_server_listens_itself() {
    let target = Target::find("el9-x86_64", None, None).unwrap();
    #[rustfmt::skip]
    let cases = [ // command                                     activation   socket  capability
        (vec!["gunicorn", "a:b"],                                None,        true,   false),
        (vec!["gunicorn", "a:b"],                                Some(false), false,  true),
        (vec!["gunicorn", "a:b", "--bind", "{address}:{port}"],  None,        true,   false),
        (vec!["gunicorn", "a:b", "--bind", "unix:/run/x", "{port}"], None,    false,  true),
        (vec!["gunicorn", "a:b", "-b0.0.0.0:{port}"],            None,        false,  true),
        (vec!["gunicorn", "a:b", "-b0.0.0.0:{port}"],            Some(true),  true,   false),
        (vec!["uvicorn", "a:b"],                                 None,        true,   false),
        (vec!["uvicorn", "a:b"],                                 Some(false), false,  true),
        (vec!["uvicorn", "a:b", "--uds=/run/x"],                 None,        false,  true),
        (vec!["hypercorn", "-b", "{address}:{port}", "a:b"],     None,        false,  true),
        (vec!["hypercorn", "a:b"],                               None,        true,   false),
        (vec!["waitress-serve", "a:b"],                          None,        false,  true),
    ];
    for (command, activation, socket, capability) in cases {
        let mut service = service(&command, 80, Tls::Off);
        service.socket_activation = activation;
        let units = facts(&service, &target).units(ServiceProgram::Script).unwrap();
        let unit = &units[0].1;
        assert_eq!(units.iter().any(|(file, _)| file == "report.socket"), socket, "{command:?}");
        assert_eq!(unit.contains("Wants=report.socket\n"), socket, "{unit}");
        assert_eq!(unit.contains("AmbientCapabilities=CAP_NET_BIND_SERVICE\n"), capability, "{unit}");
        assert_eq!(unit.contains("PrivateUsers=yes\n"), !capability, "{unit}");
        assert!(unit.contains("Description=A report at 100%%\n"));
    }
    for (command, says) in
        [(["waitress-serve", "a:b"], "not known to take"), (["uvicorn", "--port=9"], "so does systemd")]
    {
        let mut refused = service(&command, 80, Tls::Off);
        refused.socket_activation = Some(true);
        assert!(format!("{:#}", facts(&refused, &target).check().unwrap_err()).contains(says), "{command:?}");
    }
}

#[test]
fn sockets_listen_where_the_server_would() {
    #[rustfmt::skip]
    let cases = [ // target       address        [Socket]
        ("el9-x86_64", "0.0.0.0",     "ListenStream=0.0.0.0:9091\nNoDelay=yes\n"),
        ("el9-x86_64", "::",          "ListenStream=[::]:9091\nBindIPv6Only=both\nNoDelay=yes\n"),
        ("el7-x86_64", "192.0.2.7",   "ListenStream=192.0.2.7:9091\nFreeBind=yes\nNoDelay=yes\n"),
        ("el8-x86_64", "2001:db8::1", "ListenStream=[2001:db8::1]:9091\nFreeBind=yes\nNoDelay=yes\n"),
    ];
    for (name, address, expected) in cases {
        let target = Target::find(name, None, None).unwrap();
        let mut service = service(&["gunicorn", "a:b"], 9091, Tls::Off);
        service.address = address.to_owned();
        let socket = facts(&service, &target).socket();
        assert!(socket.contains(&format!("[Socket]\n{expected}\n[Install]\n")), "{socket}");
        let unit = facts(&service, &target).unit(ServiceProgram::Script).unwrap();
        assert!(!unit.contains("systemctl"), "{unit}");
    }
}
