// SPDX-License-Identifier: Apache-2.0
// Reads a flow's file; every fault is found at once, with its line.

internal import CRM
internal import ConnectorKit
internal import Diagnostics
internal import FileSources
internal import FileTransfer
internal import Mail
internal import Model
package import Mapping
internal import Schedule
internal import YAML

extension FlowDefinition {
    /// Reads the text of a flow.
    ///
    /// - Throws: ``FlowFaults`` with `YAML-…`, `FLOW-CONNECTOR`, `CRON-…`, what the
    ///   mapping library says, and what the connector finds in its settings.
    package static func parse(
        _ text: String, file: String, connectors: ConnectorRegistry, mappings: MappingLibrary
    ) throws(FlowFaults) -> FlowDefinition {
        let root: YAMLTree
        do throws(YAMLError) {
            root = try YAMLTree.parse(text, file: file)
        } catch {
            throw FlowFaults(faults: [error.diagnostic])
        }
        var parser = FlowParser(flow: FlowDefinition(text: text))
        parser.parse(root, connectors, mappings)
        guard parser.reading.faults.isEmpty else { throw FlowFaults(faults: parser.reading.sortedFaults) }
        return parser.flow
    }
}

private struct FlowParser {
    var flow: FlowDefinition
    var reading = YAMLReading()

    private static let keys = [
        "flow", "description", "connector", "settings", "secrets", "mapping", "source", "schedule", "queue",
        "attempts",
        "tests", "expected_by", "alerts", "outgoing", "limits", "drift", "retention",
        "on_arrival",
    ]

    mutating func parse(_ root: YAMLTree, _ connectors: ConnectorRegistry, _ mappings: MappingLibrary) {
        reading.checkKeys(of: root, Self.keys)
        flow.name = reading.text(root, "flow", isRequired: true) ?? ""
        if !flow.name.isEmpty, flow.name.wholeMatch(of: #/[a-z0-9][a-z0-9-]{0,62}/#) == nil {
            reading.refuse(root["flow"], expected: "a-z 0-9 -")
        }
        flow.description = reading.text(root, "description") ?? ""
        flow.source = reading.text(root, "source") ?? flow.source
        flow.queue = reading.word(root, "queue", ["scheduled", "bulk"]) ?? flow.queue
        flow.attempts = reading.number(root, "attempts", 1...100) ?? flow.attempts
        if let name = reading.text(root, "mapping") {
            do throws(MappingError) {
                _ = try mappings.mapping(name)
                flow.mapping = name
            } catch {
                reading.add(error.diagnostic, at: root["mapping"])
            }
        }
        if let node = root["outgoing"] {
            parseOutgoing(node, root, mappings)
        } else {
            parseConnector(root, connectors)
        }
        if let node = root["schedule"] { flow.schedule = schedule(node) }
        if let node = root["expected_by"] { flow.expectation = expectation(node, root["schedule"]) }
        if let node = root["alerts"] { parseAlerts(node) }
        for node in root["tests"]?.items ?? [] { parseTest(node) }
        flow.runsOnArrival = reading.word(root, "on_arrival", ["true", "false"]) == "true"
        if flow.runsOnArrival,
            flow.settings[FileSettings.from.name].first.map({ RemoteAddress.isMeant($0) }) ?? true
        {
            reading.refuse(root["on_arrival"], expected: "settings: {from: /…}")
        }
        if let node = root["limits"] { parseLimits(node) }
        flow.limits.stopsOnDrift = reading.word(root, "drift", ["warn", "stop"]) == "stop"
        if let node = root["retention"] {
            reading.checkKeys(of: node, ["files", "images", "jobs"])
            flow.retention.files = reading.number(node, "files", 1...36_500)
            flow.retention.images = reading.number(node, "images", 1...36_500)
            flow.retention.jobs = reading.number(node, "jobs", 1...36_500)
        }
    }

    // MARK: - Parts

    private mutating func parseSettings(_ root: YAMLTree) {
        for (key, _, value) in root["settings"]?.pairs ?? [] {
            flow.settings.values[key] = value.items.compactMap(\.scalar)
        }
        for (key, _, value) in root["secrets"]?.pairs ?? [] {
            if let name = value.scalar, Secrets.isName(name) {
                flow.settings.secrets[key] = Secret(name: name)
            } else {
                // Perhaps the secret itself: it is not repeated.
                reading.addHidden(SecretError(.name, ["key": key]).diagnostic, at: value)
            }
        }
    }

    private mutating func parseConnector(_ root: YAMLTree, _ connectors: ConnectorRegistry) {
        parseSettings(root)
        guard let id = reading.text(root, "connector", isRequired: true) else { return }
        flow.connector = id
        guard let type = connectors[id] else {
            let facts = ["name": id, "known": connectors.ids.joined(separator: ", ")]
            return reading.add(FlowError(.connector, facts).diagnostic, at: root["connector"])
        }
        add(type.check(flow.settings), root)
    }

    /// What is wrong with settings, each at its place.
    private mutating func add(_ findings: [Diagnostic], _ root: YAMLTree) {
        for finding in findings {
            let setting = finding.facts["setting"] ?? ""
            let node =
                root["settings"]?[setting] ?? root["secrets"]?[setting] ?? root["outgoing"]?[setting]
                ?? root["settings"] ?? root
            // What stands where a secret should be is not repeated.
            finding.code == "SETTING-SECRET"
                ? reading.addHidden(finding, at: node) : reading.add(finding, at: node)
        }
    }

    private mutating func parseOutgoing(_ node: YAMLTree, _ root: YAMLTree, _ mappings: MappingLibrary) {
        parseSettings(root)
        flow.connector = FlowOutgoing.id
        reading.checkKeys(of: node, ["entity", "mapping", "to", "webhook", "file", "except", "since"])
        for key in ["connector", "mapping", "tests", "expected_by", "limits", "drift"] where root[key] != nil
        {
            reading.add(FlowError(.direction, ["key": key]).diagnostic, at: root[key])
        }
        let since = reading.word(node, "since", ["now", "start"])
        let word = reading.word(node, "entity", OutgoingEntity.allCases.map(\.rawValue))
        if node["entity"] == nil { _ = reading.text(node, "entity", isRequired: true) }
        guard let name = reading.text(node, "mapping", isRequired: true) else { return }
        let export: ExportDefinition
        do throws(MappingError) {
            export = try mappings.export(name)
        } catch {
            return reading.add(error.diagnostic, at: node["mapping"])
        }
        guard let entity = word.flatMap(OutgoingEntity.init) else { return }
        guard export.target === entity.schema else {
            return reading.refuse(node["mapping"], expected: entity.rawValue)
        }
        guard let way = way(node, export, root) else { return }
        flow.outgoing = FlowOutgoing(
            entity: entity, mapping: name, way: way,
            except: (node["except"]?.items ?? []).compactMap(\.scalar), isFromStart: since == "start")
    }

    /// By files or by messages.
    private mutating func way(
        _ node: YAMLTree, _ export: ExportDefinition, _ root: YAMLTree
    ) -> FlowOutgoing.Way? {
        if let url = reading.text(node, "webhook") {
            for key in ["to", "file"] where node[key] != nil {
                reading.add(FlowError(.direction, ["key": key]).diagnostic, at: node[key])
            }
            add(flow.settings.findings(for: FlowOutgoing.messages), root)
            guard export.fileExtension == "jsonl" else {
                reading.refuse(node["mapping"], expected: "output: {kind: json}")
                return nil
            }
            return webhook(url, node["webhook"]).map { .webhook($0) }
        }
        guard let to = reading.text(node, "to", isRequired: true) else { return nil }
        let file = reading.text(node, "file") ?? "\(flow.name)-{no}.\(export.fileExtension)"
        if !file.contains("{no}") || !FileNames.isPlain(file) {
            reading.refuse(node["file"], expected: "\(flow.name)-{no}.\(export.fileExtension)")
        }
        add(FileTargets.check(to, flow.settings), root)
        return .files(to: to, name: file)
    }

    /// The address of a program that listens.
    private mutating func webhook(_ url: String, _ node: YAMLTree?) -> String? {
        do throws(TransferError) {
            let address = try RemoteAddress(url)
            if [.http, .https].contains(address.scheme) { return url }
            reading.refuse(node, expected: "https://…")
        } catch {
            reading.add(error.diagnostic, at: node)
        }
        return nil
    }

    private mutating func schedule(_ node: YAMLTree) -> FlowSchedule? {
        if node.pairs != nil {
            reading.checkKeys(
                of: node, ["cron", "zone", "holidays", "missed", "missed_limit", "overlap", "jitter_seconds"])
        }
        let line = node.scalar ?? reading.text(node, "cron", isRequired: true)
        let zone = reading.text(node, "zone") ?? "Europe/Paris"
        let holidays = reading.word(node, "holidays", PublicHolidays.allCases.map(\.rawValue))
        let missed = reading.word(node, "missed", FlowSchedule.Missed.allCases.map(\.rawValue))
        let overlap = reading.word(node, "overlap", FlowSchedule.Overlap.allCases.map(\.rawValue))
        let missedLimit = reading.number(node, "missed_limit", 1...1000)
        let jitter = reading.number(node, "jitter_seconds", 0...3600)
        let cron = line.flatMap { line in
            reported(node) { () throws(ScheduleError) in try CronExpression(line) }
        }
        // A faulty line does not hide a faulty zone.
        let times = reported(node) { () throws(ScheduleError) in
            let line = if let cron { cron } else { try CronExpression("@daily") }
            return try Schedule(line, zone: zone, without: holidays.flatMap { PublicHolidays(rawValue: $0) })
        }
        guard cron != nil, let times else { return nil }
        return FlowSchedule(
            times: times, zone: zone, missed: missed.flatMap { FlowSchedule.Missed(rawValue: $0) } ?? .once,
            missedLimit: missedLimit ?? 10,
            overlap: overlap.flatMap { FlowSchedule.Overlap(rawValue: $0) } ?? .skip,
            jitterSeconds: jitter ?? 0)
    }

    /// `07:00` of every day, or a cron line; by the clock, and without the holidays, of the schedule.
    private mutating func expectation(_ node: YAMLTree, _ schedule: YAMLTree?) -> FlowExpectation? {
        guard let text = node.scalar else {
            reading.refuse(node, expected: "07:00 | 0 7 * * mon-fri")
            return nil
        }
        var line = text
        if let time = text.wholeMatch(of: #/(\d{1,2}):(\d{2})/#) {
            line = "\(Int(time.output.2) ?? 0) \(Int(time.output.1) ?? 0) * * *"
        }
        let zone = schedule?["zone"]?.scalar ?? "Europe/Paris"
        let holidays = schedule?["holidays"]?.scalar.flatMap { PublicHolidays(rawValue: $0) }
        return reported(node) { () throws(ScheduleError) in
            FlowExpectation(
                times: try Schedule(try CronExpression(line), zone: zone, without: holidays), zone: zone)
        }
    }

    private mutating func parseAlerts(_ node: YAMLTree) {
        reading.checkKeys(of: node, ["mail", "webhook", "signed_with"])
        for item in node["mail"]?.items ?? [] {
            guard let address = item.scalar, MailMessage.isAddress(address) else {
                reading.refuse(item, expected: "nom@exemple.fr")
                continue
            }
            flow.alerts.mail.append(address)
        }
        if let url = reading.text(node, "webhook") {
            flow.alerts.webhook = webhook(url, node["webhook"])
        }
        if let name = reading.text(node, "signed_with") {
            guard Secrets.isName(name) else {
                return reading.refuse(node["signed_with"], expected: "a-z 0-9 -")
            }
            flow.alerts.signedWith = Secret(name: name)
        }
    }

    /// The value, or nil and a fault at the schedule's key that is to blame.
    private mutating func reported<Value>(
        _ node: YAMLTree, _ value: () throws(ScheduleError) -> Value
    ) -> Value? {
        do throws(ScheduleError) {
            return try value()
        } catch {
            reading.add(error.diagnostic, at: node[error.diagnostic.place.field ?? ""] ?? node)
            return nil
        }
    }

    private mutating func parseLimits(_ node: YAMLTree) {
        reading.checkKeys(of: node, ["stop_after", "stop_ratio", "stop_changed"])
        flow.limits.stopAfter = reading.number(node, "stop_after", 0...Int.max)
        flow.limits.stopRatio = share(node, "stop_ratio")
        flow.limits.stopChanged = share(node, "stop_changed")
    }

    /// A share of a file's records.
    private mutating func share(_ node: YAMLTree, _ key: String) -> Decimal? {
        guard let text = reading.text(node, key) else { return nil }
        guard let share = Decimal(text), share >= Decimal(0), share <= Decimal(1) else {
            reading.refuse(node[key], expected: "0–1")
            return nil
        }
        return share
    }

    private mutating func parseTest(_ node: YAMLTree) {
        reading.checkKeys(of: node, ["file", "records", "errors"])
        guard let file = reading.text(node, "file", isRequired: true),
            let records = reading.number(node, "records", 0...Int.max, isRequired: true)
        else { return }
        flow.tests.append(
            FlowTest(file: file, records: records, errors: reading.number(node, "errors", 0...Int.max) ?? 0))
    }
}
