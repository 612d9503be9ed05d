// SPDX-License-Identifier: Apache-2.0
// A daemon that speaks TLS itself: what browsers get, what is wrong with files, certificates that are renewed.

import Foundation
import RelaisTesting
import Testing

@Suite struct CertificateTests {
    /// A folder with a certificate of `127.0.0.1`, its key, and a data folder where nobody has signed in.
    private func withCertificate(
        _ body: (_ data: String, _ folder: URL, _ files: Pair) async throws -> Void
    ) async throws {
        try await withDataFolder { data, folder in
            let files = Pair(folder, "first")
            try files.make()
            try await body(data, folder, files)
        }
    }

    /// A certificate and its key.
    private struct Pair {
        let chain: String
        let key: String

        init(_ folder: URL, _ name: String) {
            chain = folder.appending(path: name + ".cert.pem").path
            key = folder.appending(path: name + ".key.pem").path
        }

        var options: [String] { ["--tls-certificate", chain, "--tls-key", key] }

        /// - Parameter days: how long it is good for, from `day` days ago on.
        func make(name: String = "relais test", days: Int = 90) throws {
            try TestCertificate.make(key: key, certificate: chain, name: name, days: days)
        }
    }

    /// What curl gets; its exit code where it gets nothing.
    private func curl(_ arguments: [String]) async throws -> (code: Int32, text: String) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/curl")
        process.arguments = ["-sS", "-i", "--max-time", "30"] + arguments
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    /// Runs a daemon, and ends it whatever happens.
    private func withDaemon(
        _ data: String, _ folder: URL, _ arguments: [String],
        _ body: (_ daemon: Daemon, _ host: String) async throws -> Void
    ) async throws {
        let daemon = try Daemon(data, folder, arguments)
        do {
            let host = try await daemon.address().replacing("http://", with: "")
            try await body(daemon, host)
        } catch {
            _ = try await daemon.stop()
            throw error
        }
        #expect(try await daemon.stop() == 0)
    }

    @Test func `browsers are answered over TLS, and told to come back by nothing else`() async throws {
        try await withCertificate { data, folder, files in
            let password = "quatre mots bien choisis"
            let added = try await RelaisCommand.run(
                ["users", "add", "ines", "--role", "it", "--password-stdin", "--data", data], input: password)
            try #require(added.status == 0, "\(added.errors)")
            try await withDaemon(data, folder, files.options) { daemon, host in
                let page = try await curl(["--cacert", files.chain, "https://\(host)/sign-in"])
                #expect(page.code == 0 && page.text.hasPrefix("HTTP/1.1 200"), "\(page)")
                #expect(page.text.lowercased().contains("strict-transport-security: max-age="))
                let entered = try await curl([
                    "--cacert", files.chain, "https://\(host)/sign-in", "-d", "login=ines", "-d",
                    "password=\(password.replacing(" ", with: "+"))",
                ])
                let cookie = entered.text.split(separator: "\r\n").first {
                    $0.lowercased().hasPrefix("set-cookie: relais_session=")
                }
                #expect(entered.text.hasPrefix("HTTP/1.1 303") && cookie?.contains("Secure") == true)
                let unknown = try await curl(["https://\(host)/sign-in"])
                #expect(unknown.code == 60, "whoever does not know the certificate is not answered")
                let old = try await curl([
                    "--cacert", files.chain, "--tls-max", "1.1", "https://\(host)/healthz",
                ])
                #expect(old.code == 35, "\(old)")
                // What does not speak TLS gets no answer, and harms nobody.
                for _ in 0..<3 {
                    let plain = try await curl(["http://\(host)/healthz"])
                    #expect(plain.code != 0 && !plain.text.contains("ok"), "\(plain)")
                }
                let health = try await curl(["--cacert", files.chain, "https://\(host)/healthz"])
                #expect(health.text.hasSuffix("ok\n"))
                let measures = try await curl(["--cacert", files.chain, "https://\(host)/metrics"])
                #expect(measures.text.contains("relais_certificate_end_timestamp_seconds "))
                #expect(!daemon.messages.contains { $0.contains("ends soon") })
            }
        }
    }

    @Test func `who forges X-Forwarded-For over our own TLS is counted by his true address`() async throws {
        try await withCertificate { data, folder, files in
            try await withDaemon(data, folder, files.options) { _, host in
                _ = try await curl([
                    "--cacert", files.chain, "https://\(host)/sign-in", "-H", "X-Forwarded-For: 203.0.113.9",
                    "-d", "login=hugo", "-d", "password=x",
                ])
                let counted = try await RelaisCommand.run([
                    "db", "psql", "--data", data, "--", "-Atc",
                    "select key from sign_in_failure order by key",
                ])
                #expect(counted.output == "address:127.0.0.1\nlogin:hugo\n", "\(counted)")
            }
        }
    }

    @Test func `the link of the first administrator is one that browsers can open`() async throws {
        try await withCertificate { data, folder, files in
            let daemon = try Daemon(data, folder, files.options)
            do {
                let host = try await daemon.address().replacing("http://", with: "")
                let link = try await daemon.welcome()
                #expect(link.hasPrefix("https://\(host)/welcome/"))
                let page = try await curl(["--cacert", files.chain, link])
                #expect(page.text.hasPrefix("HTTP/1.1 200"))
            } catch {
                _ = try await daemon.stop()
                throw error
            }
            #expect(try await daemon.stop() == 0)
        }
    }

    @Test func `files that cannot serve end the daemon with the reason`() async throws {
        try await withCertificate { data, folder, files in
            let other = Pair(folder, "other")
            try other.make()
            let (text, open) = (folder.appending(path: "text").path, folder.appending(path: "open").path)
            try Data("bonjour\n".utf8).write(to: URL(filePath: text))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: text)
            try FileManager.default.copyItem(atPath: files.key, toPath: open)
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: open)
            let locked = folder.appending(path: "locked").path
            try run(
                "/usr/bin/openssl",
                ["pkey", "-aes256", "-passout", "pass:x", "-in", files.key, "-out", locked])
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: locked)
            let cases: [(chain: String, key: String, code: String, file: String)] = [
                ("/nowhere", files.key, "FILE-MISSING", "/nowhere"),
                (files.chain, "/nowhere", "FILE-MISSING", "/nowhere"),
                (text, files.key, "TLS-CERTIFICATE", text),
                (files.key, files.key, "TLS-CERTIFICATE", files.key),
                (files.chain, text, "TLS-KEY", text), (files.chain, locked, "TLS-KEY", locked),
                (files.chain, open, "TLS-KEY-OPEN", open), (files.chain, other.key, "TLS-PAIR", other.key),
            ]
            for wrong in cases {
                let result = try await RelaisCommand.run([
                    "serve", "--data", data, "--listen", "127.0.0.1:0", "--tls-certificate", wrong.chain,
                    "--tls-key", wrong.key,
                ])
                #expect(result.status == 1, "\(wrong)")
                #expect(
                    result.errors.contains(wrong.code) && result.errors.contains(wrong.file),
                    "\(wrong): \(result.errors)")
            }
            let alone = try await RelaisCommand.run(
                ["config", "--data", data], environment: ["RELAIS_TLS_KEY": files.key])
            #expect(alone.status == 1 && alone.errors.contains("CONFIG-NEEDS"), "\(alone.errors)")
        }
    }

    @Test func `a certificate that is renewed is shown without a restart, and one that cannot serve is not`()
        async throws
    {
        try await withDataFolder { data, folder in
            // As who renews certificates keeps them: links to the files of the moment.
            let (live, old, new) = (Pair(folder, "live"), Pair(folder, "old"), Pair(folder, "new"))
            try old.make(name: "old", days: 3)
            try new.make(name: "new")
            func link(_ file: String, to target: String) throws {
                try? FileManager.default.removeItem(atPath: file)
                try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: target)
            }
            try link(live.chain, to: old.chain)
            try link(live.key, to: old.key)
            try await withDaemon(data, folder, live.options) { daemon, host in
                func isShown(_ pair: Pair) async throws -> Bool {
                    try await curl(["--cacert", pair.chain, "https://\(host)/healthz"]).code == 0
                }
                #expect(try await isShown(old))
                try await until { daemon.messages.contains("the certificate ends soon") }
                // Half of it is no certificate.
                try link(live.chain, to: new.chain)
                try await until {
                    daemon.messages.contains("the new certificate cannot be used, that of before stays")
                }
                #expect(try await isShown(old))
                try link(live.key, to: new.key)
                try await until { daemon.messages.contains("certificate read again") }
                #expect(try await isShown(new))
                #expect(try await !isShown(old))
            }
        }
    }
}
