// SPDX-License-Identifier: Apache-2.0
// Servers that keep files or mail, with TLS: ProFTPD, nginx, aiosmtpd and Dovecot.

internal import Dispatch
package import Foundation
internal import Glibc

/// A server that keeps files behind TLS, with one user.
package struct FileServer: Sendable {
    /// The server.
    package let peer: Peer
    /// The folder that files are put in.
    package let files: URL
    /// Its certificate, which vouches for itself.
    package var certificate: String { peer.folder.appending(path: "cert.pem").path }
    /// The user's password.
    package static let password = "Gr0s-Temps"

    /// ProFTPD, which speaks TLS from the first byte on or when it is asked to.
    package static func ftp(isImplicit: Bool) async throws -> FileServer {
        try await FileServer("/usr/sbin/proftpd") { port, folder in
            let hash = try run("/usr/bin/openssl", ["passwd", "-6", password])
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let line = "relais:\(hash):\(getuid()):\(getgid()):x:\(folder.path):/bin/sh\n"
            let passwords = folder.appending(path: "passwd")
            try Data(line.utf8).write(to: passwords)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: passwords.path)
            let user = NSUserName()
            let config = """
                ServerType standalone
                DefaultAddress 127.0.0.1
                Port \(port)
                UseIPv6 off
                User \(user)
                Group \(user == "root" ? "root" : "nogroup")
                RootLogin on
                RequireValidShell off
                PidFile \(folder.path)/proftpd.pid
                ScoreboardFile \(folder.path)/scoreboard
                DelayTable none
                WtmpLog off
                TransferLog none
                SystemLog \(folder.path)/system.log
                AuthOrder mod_auth_file.c
                AuthUserFile \(passwords.path)
                LoadModule mod_tls.c
                TLSEngine on
                TLSRequired on
                TLSProtocol TLSv1.2 TLSv1.3
                TLSRSACertificateFile \(folder.path)/cert.pem
                TLSRSACertificateKeyFile \(folder.path)/key.pem
                TLSOptions NoSessionReuseRequired\(isImplicit ? " UseImplicitSSL" : "")
                AllowOverwrite on

                """
            let path = folder.appending(path: "proftpd.conf").path
            try Data(config.utf8).write(to: URL(filePath: path))
            return ["--nodaemon", "--quiet", "--config", path]
        }
    }

    /// nginx with WebDAV; `/files/` wants the password, `/login/` shows a page.
    package static func web() async throws -> FileServer {
        try await FileServer("/usr/sbin/nginx") { port, folder in
            let hash = try run("/usr/bin/openssl", ["passwd", "-apr1", password])
            try Data("relais:\(hash)".utf8).write(to: folder.appending(path: "passwd"))
            let module = "/usr/lib/nginx/modules/ngx_http_dav_ext_module.so"
            let config = """
                load_module \(module);
                daemon off;
                master_process off;
                pid \(folder.path)/nginx.pid;
                error_log \(folder.path)/error.log;
                events {}
                http {
                  access_log \(folder.path)/access.log;
                  client_body_temp_path \(folder.path)/body;
                  proxy_temp_path \(folder.path)/proxy;
                  fastcgi_temp_path \(folder.path)/fastcgi;
                  uwsgi_temp_path \(folder.path)/uwsgi;
                  scgi_temp_path \(folder.path)/scgi;
                  server {
                    listen 127.0.0.1:\(port) ssl;
                    ssl_certificate \(folder.path)/cert.pem;
                    ssl_certificate_key \(folder.path)/key.pem;
                    root \(folder.path);
                    location /files/ {
                      auth_basic "files";
                      auth_basic_user_file \(folder.path)/passwd;
                      dav_methods PUT DELETE MKCOL MOVE;
                      dav_ext_methods PROPFIND OPTIONS;
                    }
                    location /files/forbidden.csv { deny all; }
                    location /files/locked.csv { return 423; }
                    location /login/ {
                      default_type text/html;
                      return 200 "<html><form>Mot de passe</form></html>";
                    }
                    location /away/ { return 302 http://127.0.0.1:\(port)/files/; }
                    location /broken/ { return 503; }
                  }
                }

                """
            let path = folder.appending(path: "nginx.conf").path
            try Data(config.utf8).write(to: URL(filePath: path))
            return ["-c", path, "-e", folder.appending(path: "error.log").path]
        }
    }

    private init(
        _ command: String, _ arguments: (_ port: Int, _ folder: URL) throws -> [String]
    ) async throws {
        peer = try await Peer(command) { port, folder in
            try FileManager.default.createDirectory(
                at: folder.appending(path: "files"), withIntermediateDirectories: true)
            try TestCertificate.make(
                key: folder.appending(path: "key.pem").path,
                certificate: folder.appending(path: "cert.pem").path)
            return try arguments(port, folder)
        }
        files = peer.folder.appending(path: "files")
    }
}

/// A mail server (aiosmtpd) that keeps what it gets.
package struct SMTPServer: Sendable {
    /// The server.
    package let peer: Peer

    /// Starts the server, which speaks TLS from the first byte on if wanted.
    package init(isTLS: Bool = false) async throws {
        peer = try await Peer("/usr/bin/python3") { port, folder in
            var arguments = [
                "-m", "aiosmtpd", "-n", "-l", "127.0.0.1:\(port)", "-c", "aiosmtpd.handlers.Mailbox",
                folder.appending(path: "mail").path,
            ]
            if isTLS {
                let (key, certificate) = (
                    folder.appending(path: "key.pem").path, folder.appending(path: "cert.pem").path
                )
                try TestCertificate.make(key: key, certificate: certificate)
                arguments.insert(contentsOf: ["--smtpscert", certificate, "--smtpskey", key], at: 2)
            }
            return arguments
        }
    }

    /// Its certificate, which vouches for itself.
    package var certificate: String { peer.folder.appending(path: "cert.pem").path }

    /// The messages that it got.
    package func messages() throws -> [String] {
        let folder = peer.folder.appending(path: "mail/new")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).map { name in
            try String(contentsOf: folder.appending(path: name), encoding: .utf8)
        }
    }
}

/// A mailbox server (Dovecot) with TLS from the first byte on, or when it is asked to.
package struct MailboxServer: Sendable {
    /// The server.
    package let peer: Peer
    /// The password of everybody.
    package static let password = "Gr0s-Temps"
    /// Its certificate, which vouches for itself.
    package var certificate: String { peer.folder.appending(path: "cert.pem").path }
    private var mail: URL { peer.folder.appending(path: "mail") }

    /// Starts the server.
    package init(isImplicit: Bool = true) async throws {
        peer = try await Peer("/usr/sbin/dovecot") { port, folder in
            try TestCertificate.make(
                key: folder.appending(path: "key.pem").path,
                certificate: folder.appending(path: "cert.pem").path)
            let isRoot = geteuid() == 0
            let user = NSUserName()
            // It keeps mail for nobody where it must not for root.
            let owner = isRoot ? "uid=nobody gid=nogroup" : "uid=\(user) gid=\(getgid())"
            for name in ["mail", "mail/new", "mail/cur", "mail/tmp"] {
                let path = folder.appending(path: name).path
                try FileManager.default.createDirectory(
                    atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o777])
                try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: path)
            }
            let config = """
                base_dir = \(folder.path)/run
                state_dir = \(folder.path)/state
                log_path = \(folder.path)/dovecot.log
                protocols = imap
                listen = 127.0.0.1
                default_internal_user = \(isRoot ? "dovecot" : user)
                default_login_user = \(isRoot ? "dovenull" : user)
                default_internal_group = \(isRoot ? "dovecot" : "\(getgid())")
                ssl = required
                ssl_cert = <\(folder.path)/cert.pem
                ssl_key = <\(folder.path)/key.pem
                mail_location = maildir:\(folder.path)/mail
                auth_failure_delay = 0
                service imap-login {
                  chroot =
                  inet_listener imap {
                    port = \(isImplicit ? 0 : port)
                  }
                  inet_listener imaps {
                    port = \(isImplicit ? port : 0)
                    ssl = yes
                  }
                }
                service anvil {
                  chroot =
                }
                passdb {
                  driver = static
                  args = password=\(Self.password)
                }
                userdb {
                  driver = static
                  args = \(owner) home=\(folder.path)/mail
                }

                """
            let path = folder.appending(path: "dovecot.conf").path
            try Data(config.utf8).write(to: URL(filePath: path))
            return ["-F", "-c", path]
        }
    }

    /// The address of a mailbox.
    package func address(_ mailbox: String = "", scheme: String = "imaps") -> String {
        "\(scheme)://compta%40exemple.fr@127.0.0.1:\(peer.port)/\(mailbox)"
    }

    /// Puts a message into the inbox; lines end as they do on the wire.
    package func deliver(_ message: String) throws {
        // Messages get their numbers in the order of their names.
        let name = "\(DispatchTime.now().uptimeNanoseconds).\(UUID().uuidString)"
        let text = message.replacing("\n", with: "\r\n")
        let path = mail.appending(path: "tmp/\(name)").path
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: path)
        try FileManager.default.moveItem(atPath: path, toPath: mail.appending(path: "new/\(name)").path)
    }

    /// The messages of a mailbox, each as its file's name, which ends with letters for what was done with it.
    package func messages(_ mailbox: String = "") throws -> [String] {
        let folder = mailbox.isEmpty ? mail : mail.appending(path: ".\(mailbox)")
        return try ["new", "cur"].flatMap { name in
            try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: name).path)
        }
    }
}

/// Certificates of 127.0.0.1 that vouch for themselves.
package enum TestCertificate {
    /// Makes one, with a key that only its owner can read.
    ///
    /// - Parameter days: how long it is good for.
    package static func make(
        key: String, certificate: String, name: String = "relais test", days: Int = 2
    ) throws {
        try run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days",
                String(days), "-subj", "/CN=\(name)", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                key,
                "-out", certificate,
            ])
    }
}
