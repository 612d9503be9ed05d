// SPDX-License-Identifier: Apache-2.0
// How this node works: one struct, filled from `relais.yaml`, the environment and options, all faults told at once.

internal import Diagnostics
internal import Foundation
internal import Mail
internal import FileTransfer
internal import Hub
internal import Model
internal import Server
internal import YAML

/// Everything that can be set about a node. What is said in an option outranks the environment, and that the file.
struct Configuration: Sendable {
    /// A PostgreSQL of one's own, as a libpq connection string.
    var databaseURL: String?
    /// SIREN of our own company, where only its documents are to be imported.
    var companySIREN: String?
    /// The file of the key that opens secrets.
    var secretKeyFile: String?
    /// The company's mail server.
    var mailServer: MailServer?
    /// Where the web server listens.
    var listen = WebServer.Address("127.0.0.1:8080")
    /// The parts that run on this node.
    var roles = Set(Role.allCases)
    /// Seconds for what runs to end.
    var stopWithin = 30
    /// Form of the log.
    var logFormat = LogFormat.text
    /// IANA name of the company's zone.
    var zone = "Europe/Paris"
    /// Whether browsers reach this node by TLS only, through a proxy before it.
    var isBehindProxy = false
    /// The certificate by which the web server is known itself.
    var certificate: Certificate.Files?
    /// Where browsers reach this node.
    var publicURL: WebOrigin?
    /// Who else signs people in.
    var openID: OpenIDSettings?
    /// How much of this machine those who connect may use.
    var limits = WebServer.Limits()
    /// Days that things are kept.
    var retention = RetentionDays()
    /// The texts that it was filled from, with where each was said.
    private(set) var sources: [Key: Said] = [:]

    /// The parts of a daemon.
    enum Role: String, CaseIterable {
        case web, scheduler, worker
    }

    /// What can be set; the file calls it by its raw value.
    enum Key: String, CaseIterable {
        case databaseURL = "database_url"
        case companySIREN = "company_siren"
        case secretKeyFile = "secret_key_file"
        case smtp
        case smtpFrom = "smtp_from"
        case smtpAuthorities = "smtp_authorities"
        case listen, roles
        case stopWithin = "stop_within"
        case logFormat = "log_format"
        case keepFiles = "keep_files"
        case keepImages = "keep_images"
        case keepJobs = "keep_jobs"
        case zone
        case behindTLS = "behind_tls"
        case tlsCertificate = "tls_certificate"
        case tlsKey = "tls_key"
        case publicURL = "public_url"
        case oidcIssuer = "oidc_issuer"
        case oidcClient = "oidc_client"
        case oidcSecret = "oidc_secret"
        case oidcLabel = "oidc_label"
        case uploadLimit = "upload_limit"
        case connections
        case connectionsPerAddress = "connections_per_address"
        case patience

        /// The environment's name for it.
        var variable: String { "RELAIS_" + rawValue.uppercased() }

        /// The command line's name for it.
        var option: String { "--" + rawValue.replacing("_", with: "-") }
    }

    /// A text and where it was said.
    struct Said: Sendable {
        let text: String
        let place: Place
    }

    /// Reads all sources.
    ///
    /// - Parameters:
    ///   - file: path of `relais.yaml`; nil where there is none.
    ///   - options: what the command line says.
    init(file: String?, environment: [String: String], options: [Key: String] = [:])
        throws(ConfigurationFaults)
    {
        var faults: [Diagnostic] = []
        if let file { sources = Self.read(file, &faults) }
        faults += Self.misspelt(environment)
        for key in Key.allCases {
            if let text = environment[key.variable], !text.isEmpty {
                sources[key] = Said(text: text, place: Place(field: key.variable, value: text))
            }
            if let text = options[key] {
                sources[key] = Said(text: text, place: Place(field: key.option, value: text))
            }
        }
        fill(&faults)
        guard faults.isEmpty else { throw ConfigurationFaults(faults: faults) }
    }

    // MARK: - Sources

    private static func read(_ file: String, _ faults: inout [Diagnostic]) -> [Key: Said] {
        var reading = YAMLReading()
        var said: [Key: Said] = [:]
        do {
            let bytes = try LocalFile(file, limit: 1 << 20).read(upTo: 1 << 20)
            let root = try YAMLTree.parse(String(decoding: bytes, as: UTF8.self), file: file)
            reading.checkKeys(of: root, Key.allCases.map(\.rawValue))
            for (name, _, value) in root.pairs ?? [] {
                guard let key = Key(rawValue: name) else { continue }
                let text = value.items.compactMap(\.scalar).joined(separator: ",")
                guard !text.isEmpty else {
                    reading.refuse(value, expected: "…")
                    continue
                }
                var place = value.place
                place.value = text
                said[key] = Said(text: text, place: place)
            }
        } catch let error as any ReportableError {
            faults.append(error.diagnostic)
        } catch {
            faults.append(Diagnostic(code: "UNEXPECTED", facts: ["detail": "\(error)"]))
        }
        faults += reading.sortedFaults
        return said
    }

    /// Variables that look like one of ours and are none.
    private static func misspelt(_ environment: [String: String]) -> [Diagnostic] {
        let known = Key.allCases.map(\.variable) + Surroundings.variableNames
        return environment.keys.sorted().compactMap { name in
            guard name.hasPrefix("RELAIS_"), !known.contains(name),
                let suggestion = Suggestion.nearest(to: name, in: known)
            else { return nil }
            return Diagnostic(
                code: "CONFIG-VARIABLE", facts: ["suggestion": suggestion], place: Place(value: name))
        }
    }

    // MARK: - Values

    private mutating func fill(_ faults: inout [Diagnostic]) {
        databaseURL = sources[.databaseURL]?.text
        secretKeyFile = sources[.secretKeyFile]?.text
        companySIREN = sources[.companySIREN]?.text
        if let siren = companySIREN, !CompanyIdentifier.isSIREN(siren) {
            faults.append(fault(.companySIREN, "SIREN"))
        }
        if let text = sources[.listen]?.text {
            listen = WebServer.Address(text)
            if listen == nil { faults.append(fault(.listen, "127.0.0.1:8080")) }
        }
        if let text = sources[.roles]?.text {
            let names = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            roles = Set(names.compactMap(Role.init))
            if names.isEmpty || names.contains(where: { Role(rawValue: $0) == nil }) {
                faults.append(fault(.roles, Role.allCases.map(\.rawValue).joined(separator: ", ")))
            }
        }
        fill(.stopWithin, 0...3600, &stopWithin, &faults)
        fill(.keepFiles, 1...36_500, &retention.files, &faults)
        fill(.keepImages, 1...36_500, &retention.images, &faults)
        fill(.keepJobs, 1...36_500, &retention.jobs, &faults)
        if let text = sources[.logFormat]?.text {
            logFormat = LogFormat(rawValue: text) ?? .text
            if LogFormat(rawValue: text) == nil { faults.append(fault(.logFormat, "text | json")) }
        }
        if let text = sources[.zone]?.text {
            zone = text
            if TimeZone(identifier: text) == nil { faults.append(fault(.zone, "Europe/Paris")) }
        }
        fillWeb(&faults)
        fillLimits(&faults)
        fillMailServer(&faults)
    }

    private mutating func fillLimits(_ faults: inout [Diagnostic]) {
        var (megabytes, seconds) = (limits.upload / 1_000_000, Int(limits.patience / .seconds(1)))
        fill(.uploadLimit, 1...1_000_000, &megabytes, &faults)
        fill(.patience, 1...3600, &seconds, &faults)
        fill(.connections, 16...1_000_000, &limits.connections, &faults)
        // A proxy is one address for everybody.
        if isBehindProxy { limits.perAddress = limits.connections }
        fill(.connectionsPerAddress, 1...1_000_000, &limits.perAddress, &faults)
        (limits.upload, limits.patience) = (megabytes * 1_000_000, .seconds(seconds))
    }

    private func fill(
        _ key: Key, _ range: ClosedRange<Int>, _ value: inout Int, _ faults: inout [Diagnostic]
    ) {
        guard let text = sources[key]?.text else { return }
        guard let number = Int(text), range.contains(number) else {
            return faults.append(fault(key, "\(range.lowerBound)–\(range.upperBound)"))
        }
        value = number
    }

    private mutating func fillMailServer(_ faults: inout [Diagnostic]) {
        guard let address = sources[.smtp]?.text else { return }
        do throws(TransferError) {
            mailServer = try MailServer(
                address, sender: sources[.smtpFrom]?.text ?? "",
                authorities: sources[.smtpAuthorities]?.text ?? "")
        } catch {
            // Perhaps with a password in it: it is not repeated.
            var fault = fault(.smtp, "smtps://USER@HOST, \(Key.smtpFrom.rawValue)")
            fault.place.value = nil
            faults.append(fault)
        }
    }

    /// A value that cannot be used.
    func fault(_ key: Key, _ expected: String) -> Diagnostic {
        Diagnostic(
            code: "CONFIG-VALUE", facts: ["key": key.rawValue, "expected": expected],
            place: sources[key]?.place ?? Place())
    }
}

/// Everything that is wrong with the configuration.
struct ConfigurationFaults: Error, Sendable {
    /// The faults: those of the file, of the environment, of values.
    let faults: [Diagnostic]
}
