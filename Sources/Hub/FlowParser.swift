// SPDX-License-Identifier: Apache-2.0
// Reads a flow's file; every fault is found at once, with its line.

internal import ConnectorKit
internal import Diagnostics
internal import FileTransfer
internal import Mail
package import Mapping
internal import Schedule

extension FlowDefinition {
    /// Reads the text of a flow.
    ///
    /// - Throws: ``FlowFaults`` with `FLOW-KEY`, `FLOW-MISSING`, `FLOW-VALUE`, `FLOW-CONNECTOR`, `CRON-…`, what the
    ///   mapping library says, and what the connector finds in its settings.
    package static func parse(
        _ text: String, file: String, connectors: ConnectorRegistry, mappings: MappingLibrary
    ) throws(FlowFaults) -> FlowDefinition {
        let root: YAMLTree
        do throws(MappingError) {
            root = try YAMLTree.parse(text, file: file)
        } catch {
            throw FlowFaults(faults: [error.diagnostic])
        }
        var parser = FlowParser(flow: FlowDefinition(text: text))
        parser.parse(root, connectors, mappings)
        guard parser.faults.isEmpty else {
            throw FlowFaults(faults: parser.faults.sorted { ($0.place.line ?? 0) < ($1.place.line ?? 0) })
        }
        return parser.flow
    }
}

private struct FlowParser {
    var flow: FlowDefinition
    var faults: [Diagnostic] = []

    private static let keys = [
        "flow", "description", "connector", "settings", "secrets", "mapping", "source", "schedule", "queue",
        "attempts",
        "tests", "expected_by", "alerts",
    ]

    mutating func parse(_ root: YAMLTree, _ connectors: ConnectorRegistry, _ mappings: MappingLibrary) {
        checkKeys(of: root, Self.keys)
        flow.name = text(root, "flow", isRequired: true) ?? ""
        if !flow.name.isEmpty, flow.name.wholeMatch(of: #/[a-z0-9][a-z0-9-]{0,62}/#) == nil {
            refuse(root["flow"], "a-z 0-9 -")
        }
        flow.description = text(root, "description") ?? ""
        flow.source = text(root, "source") ?? flow.source
        flow.queue = word(root, "queue", ["scheduled", "bulk"]) ?? flow.queue
        flow.attempts = number(root, "attempts", 1...100) ?? flow.attempts
        if let name = text(root, "mapping") {
            do throws(MappingError) {
                _ = try mappings.mapping(name)
                flow.mapping = name
            } catch {
                faults.append(placed(error.diagnostic, root["mapping"]))
            }
        }
        parseConnector(root, connectors)
        if let node = root["schedule"] { flow.schedule = schedule(node) }
        if let node = root["expected_by"] { flow.expectation = expectation(node, root["schedule"]) }
        if let node = root["alerts"] { parseAlerts(node) }
        for node in root["tests"]?.items ?? [] { parseTest(node) }
    }

    // MARK: - Parts

    private mutating func parseConnector(_ root: YAMLTree, _ connectors: ConnectorRegistry) {
        for (key, _, value) in root["settings"]?.pairs ?? [] {
            flow.settings.values[key] = value.items.compactMap(\.scalar)
        }
        for (key, _, value) in root["secrets"]?.pairs ?? [] {
            if let name = value.scalar, Secrets.isName(name) {
                flow.settings.secrets[key] = Secret(name: name)
            } else {
                // Perhaps the secret itself: it is not repeated.
                let facts = ["key": key]
                var fault = placed(SecretError(.name, facts).diagnostic, value)
                fault.place.value = nil
                faults.append(fault)
            }
        }
        guard let id = text(root, "connector", isRequired: true) else { return }
        flow.connector = id
        guard let type = connectors[id] else {
            let facts = ["name": id, "known": connectors.ids.joined(separator: ", ")]
            return faults.append(placed(FlowError(.connector, facts).diagnostic, root["connector"]))
        }
        for finding in type.check(flow.settings) {
            let setting = finding.facts["setting"] ?? ""
            let node = root["settings"]?[setting] ?? root["secrets"]?[setting] ?? root["settings"] ?? root
            var fault = placed(finding, node)
            // What stands where a secret should be is not repeated.
            if finding.code == "SETTING-SECRET" { fault.place.value = nil }
            faults.append(fault)
        }
    }

    private mutating func schedule(_ node: YAMLTree) -> FlowSchedule? {
        if node.pairs != nil {
            checkKeys(
                of: node, ["cron", "zone", "holidays", "missed", "missed_limit", "overlap", "jitter_seconds"])
        }
        let line = node.scalar ?? text(node, "cron", isRequired: true)
        let zone = text(node, "zone") ?? "Europe/Paris"
        let holidays = word(node, "holidays", PublicHolidays.allCases.map(\.rawValue))
        let missed = word(node, "missed", FlowSchedule.Missed.allCases.map(\.rawValue))
        let overlap = word(node, "overlap", FlowSchedule.Overlap.allCases.map(\.rawValue))
        let missedLimit = number(node, "missed_limit", 1...1000)
        let jitter = number(node, "jitter_seconds", 0...3600)
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
            refuse(node, "07:00 | 0 7 * * mon-fri")
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
        checkKeys(of: node, ["mail", "webhook", "signed_with"])
        for item in node["mail"]?.items ?? [] {
            guard let address = item.scalar, MailMessage.isAddress(address) else {
                refuse(item, "nom@exemple.fr")
                continue
            }
            flow.alerts.mail.append(address)
        }
        if let url = text(node, "webhook") {
            do throws(TransferError) {
                let address = try RemoteAddress(url)
                guard [.http, .https].contains(address.scheme) else {
                    return refuse(node["webhook"], "https://…")
                }
                flow.alerts.webhook = url
            } catch {
                faults.append(placed(error.diagnostic, node["webhook"]))
            }
        }
        if let name = text(node, "signed_with") {
            guard Secrets.isName(name) else { return refuse(node["signed_with"], "a-z 0-9 -") }
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
            faults.append(placed(error.diagnostic, node[error.diagnostic.place.field ?? ""] ?? node))
            return nil
        }
    }

    private mutating func parseTest(_ node: YAMLTree) {
        checkKeys(of: node, ["file", "records", "errors"])
        guard let file = text(node, "file", isRequired: true),
            let records = number(node, "records", 0...Int.max, isRequired: true)
        else { return }
        flow.tests.append(
            FlowTest(file: file, records: records, errors: number(node, "errors", 0...Int.max) ?? 0))
    }

    // MARK: - Values

    private mutating func checkKeys(of node: YAMLTree, _ known: [String]) {
        guard let pairs = node.pairs else { return refuse(node, known.joined(separator: ", ")) }
        for (key, place, _) in pairs where !known.contains(key) {
            let suggestion = Suggestion.nearest(to: key, in: known) ?? ""
            let facts = [
                "key": key, "suggestion": suggestion, "known": known.joined(separator: ", "),
            ]
            faults.append(FlowError(.key, facts, at: place).diagnostic)
        }
    }

    private mutating func text(_ node: YAMLTree, _ key: String, isRequired: Bool = false) -> String? {
        guard let value = node[key] else {
            if isRequired { faults.append(FlowError(.missing, ["key": key], at: node.place).diagnostic) }
            return nil
        }
        guard let text = value.scalar, !text.isEmpty else {
            refuse(value, "…")
            return nil
        }
        return text
    }

    private mutating func word(_ node: YAMLTree, _ key: String, _ words: [String]) -> String? {
        guard let text = text(node, key) else { return nil }
        guard words.contains(text) else {
            refuse(node[key], words.joined(separator: " | "))
            return nil
        }
        return text
    }

    private mutating func number(
        _ node: YAMLTree, _ key: String, _ range: ClosedRange<Int>, isRequired: Bool = false
    ) -> Int? {
        guard let text = text(node, key, isRequired: isRequired) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            let end = range.upperBound == .max ? "…" : String(range.upperBound)
            refuse(node[key], "\(range.lowerBound)–\(end)")
            return nil
        }
        return number
    }

    private mutating func refuse(_ node: YAMLTree?, _ expected: String) {
        let fault = FlowError(.value, ["expected": expected]).diagnostic
        faults.append(placed(fault, node))
    }

    /// A finding at the place of a node, with the node's value.
    private func placed(_ finding: Diagnostic, _ node: YAMLTree?) -> Diagnostic {
        var finding = finding
        let (field, value) = (finding.place.field, finding.place.value ?? node?.scalar)
        finding.place = node?.place ?? finding.place
        finding.place.field = field
        finding.place.value = value
        return finding
    }
}
