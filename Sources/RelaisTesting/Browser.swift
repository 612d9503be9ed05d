// SPDX-License-Identifier: Apache-2.0
// A real Chromium without a screen, driven by tests as a user would.

internal import Foundation

/// One tab of a browser of its own. Selectors are CSS.
///
/// Verbs that need one element wait until it is there, ten seconds at most, and take the first.
package struct Browser: Sendable {
    /// What the user's device asks pages for.
    package enum Theme: String, Sendable {
        case light, dark
    }

    private let port: Int
    /// The session's path.
    private let session: String

    /// Starts a browser, lends it, and ends it however `body` ends.
    ///
    /// - Parameter languages: what pages are asked for, the best first: `fr-FR,fr`.
    package static func withBrowser<T>(
        width: Int = 1280, height: Int = 900, theme: Theme = .light, languages: String = "fr-FR,fr",
        _ body: (Browser) async throws -> T
    ) async throws -> T {
        let driver = try ChromeDriver()
        do {
            let browser = try await Browser(driver, languages)
            try await browser.wear(width, height, theme, languages)
            let result = try await body(browser)
            _ = try? await browser.ask("DELETE", "", patience: .seconds(10))
            await driver.stop()
            return result
        } catch {
            await driver.stop()
            throw error
        }
    }

    private init(_ driver: ChromeDriver, _ languages: String) async throws {
        port = try await driver.port()
        // The profile is left to the driver, which puts it into its folder: with one of ours the browser
        // would begin with Debian's search page, somebody else's and slow to fail without a network.
        let options: WebValue = [
            "binary": "/usr/bin/chromium", "prefs": ["intl.accept_languages": .string(languages)],
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                // As on a telephone, bars take no room of the page.
                "--hide-scrollbars", .string("--lang=\(Self.first(languages))"),
            ],
        ]
        let wanted: WebValue = [
            "browserName": "chrome", "goog:loggingPrefs": ["browser": "ALL"], "goog:chromeOptions": options,
            "timeouts": ["implicit": 0, "pageLoad": 120_000, "script": 120_000],
        ]
        let made = try await ChromeDriver.ask(
            port, "POST", "/session", ["capabilities": ["alwaysMatch": wanted]])
        session = "/session/" + (made["sessionId"].string ?? "")
    }

    private static func first(_ languages: String) -> String {
        languages.split(separator: ",").first.map(String.init) ?? languages
    }

    /// The window's own size includes its frame, and its least width is above a telephone's: only emulation
    /// is exact.
    private func wear(_ width: Int, _ height: Int, _ theme: Theme, _ languages: String) async throws {
        try await command(
            "Emulation.setDeviceMetricsOverride",
            [
                "width": .number(Double(width)), "height": .number(Double(height)), "deviceScaleFactor": 1,
                "mobile": false,
            ])
        try await command(
            "Emulation.setEmulatedMedia",
            ["features": [["name": "prefers-color-scheme", "value": .string(theme.rawValue)]]])
        try await command("Emulation.setLocaleOverride", ["locale": .string(Self.first(languages))])
    }

    // MARK: Pages

    /// Opens a page and waits until it is loaded.
    package func open(_ url: String) async throws {
        try await post("/url", ["url": .string(url)])
    }

    /// The page's address.
    package var url: String {
        get async throws { try await ask("GET", "/url").string ?? "" }
    }

    /// The page's title.
    package var title: String {
        get async throws { try await ask("GET", "/title").string ?? "" }
    }

    /// Runs the body of a function in the page, although its policy forbids scripts, and waits for a promise.
    ///
    /// - Parameter arguments: what `arguments[0]` and on are.
    @discardableResult
    package func script(_ body: String, _ arguments: [WebValue] = []) async throws -> WebValue {
        try await post("/execute/sync", ["script": .string(body), "args": .array(arguments)])
    }

    // MARK: Elements

    /// The text of an element as it is seen; empty when it is hidden.
    package func text(of selector: String) async throws -> String {
        try await wait(for: selector, timeout: .seconds(10))
        return try await texts(of: selector).first ?? ""
    }

    /// The texts of all elements that match now.
    package func texts(of selector: String) async throws -> [String] {
        let isSeen = "e.checkVisibility({visibilityProperty: true})"
        let seen = "\(isSeen) ? (e.innerText ?? e.textContent).trim() : ''"
        return try await script(
            "return [...document.querySelectorAll(arguments[0])].map(e => \(seen))", [.string(selector)]
        ).array.compactMap(\.string)
    }

    /// Whether an element matches now, seen or not.
    package func exists(_ selector: String) async throws -> Bool {
        try await script("return document.querySelector(arguments[0]) !== null", [.string(selector)]) == true
    }

    /// Scrolls an element into view and clicks its middle; fails when something else covers it.
    package func click(_ selector: String) async throws {
        try await post(try await element(selector) + "/click")
    }

    /// Empties a field and types into it; dates and times (`2026-11-28`, `09:30`) are filled in at once.
    package func type(_ text: String, into selector: String) async throws {
        let field = try await element(selector)
        // What to type into a date depends on the browser's language, which few machines have.
        let isFilled = try await script(
            """
            const field = document.querySelector(arguments[0]);
            if (!/^(date|time|datetime-local|month|week|color|range)$/.test(field.type)) return false;
            field.focus();
            field.value = arguments[1];
            for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, {bubbles: true}));
            return true;
            """, [.string(selector), .string(text)])
        if isFilled == true { return }
        try await post(field + "/clear")
        try await post(field + "/value", ["text": .string(text)])
    }

    /// Chooses the option of a `select` that has this value, or else this text.
    package func choose(_ value: String, in selector: String) async throws {
        _ = try await element(selector)
        let options = "[...document.querySelector(arguments[0]).options]"
        let found = try await script(
            "const all = \(options), v = arguments[1]; "
                + "return all.find(o => o.value === v) ?? all.find(o => o.text.trim() === v) ?? null",
            [.string(selector), .string(value)])
        try await post(try Self.path(of: found, "\(selector) option \(value)") + "/click")
    }

    /// Gives a file to an `<input type=file>`.
    package func upload(_ path: String, into selector: String) async throws {
        try await post(try await element(selector) + "/value", ["text": .string(path)])
    }

    /// Presses keys in the element that has the focus: `Enter`, `?`, `ctrl+K`, `shift+Tab`.
    package func press(_ keys: String) async throws {
        let strokes = try Keyboard.strokes(keys)
        let actions = strokes.map { ("keyDown", $0) } + strokes.reversed().map { ("keyUp", $0) }
        let source: WebValue = [
            "type": "key", "id": "keyboard",
            "actions": .array(actions.map { ["type": .string($0), "value": .string($1)] }),
        ]
        try await post("/actions", ["actions": [source]])
    }

    /// Drags an element by its middle, so many pixels to the right and down.
    package func drag(_ selector: String, right: Int, down: Int) async throws {
        let middle = try await script(
            """
            const box = document.querySelector(arguments[0]).getBoundingClientRect();
            return [Math.round(box.left + box.width / 2), Math.round(box.top + box.height / 2)];
            """, [.string(selector)])
        let numbers = middle.array.compactMap(\.number)
        guard numbers.count == 2 else { throw BrowserError(code: "no such element", message: selector) }
        func move(_ right: Int, _ down: Int, milliseconds: Double) -> WebValue {
            [
                "type": "pointerMove", "duration": .number(milliseconds),
                "x": .number(numbers[0] + Double(right)), "y": .number(numbers[1] + Double(down)),
            ]
        }
        let source: WebValue = [
            "type": "pointer", "id": "mouse", "parameters": ["pointerType": "mouse"],
            "actions": [
                move(0, 0, milliseconds: 0), ["type": "pointerDown", "button": 0],
                move(10, 10, milliseconds: 50), move(right, down, milliseconds: 100),
                ["type": "pointerUp", "button": 0],
            ],
        ]
        try await post("/actions", ["actions": [source]])
    }

    // MARK: Waiting

    /// Waits until an element matches.
    package func wait(for selector: String, timeout: Duration = .seconds(30)) async throws {
        try await wait("no element: \(selector)", timeout) { try await exists(selector) }
    }

    /// Waits until the page's address contains a text.
    package func wait(untilURLContains part: String, timeout: Duration = .seconds(30)) async throws {
        try await wait("not at: \(part)", timeout) { try await url.contains(part) }
    }

    private func wait(
        _ complaint: String, _ timeout: Duration, _ condition: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + timeout
        while try await !condition() {
            guard ContinuousClock.now < deadline else {
                throw BrowserError(code: "never happened", message: "\(complaint), at \(try await url)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    // MARK: Requests

    /// Sends a command of Chrome's own protocol (CDP).
    @discardableResult
    func command(_ name: String, _ parameters: WebValue) async throws -> WebValue {
        try await post("/goog/cdp/execute", ["cmd": .string(name), "params": parameters])
    }

    /// Posts to a path of the session.
    @discardableResult
    func post(_ path: String, _ body: WebValue = [:]) async throws -> WebValue {
        try await ask("POST", path, body)
    }

    /// Asks for a path of the session.
    func ask(
        _ method: String, _ path: String, _ body: WebValue? = nil, patience: Duration = .seconds(150)
    ) async throws -> WebValue {
        try await ChromeDriver.ask(port, method, session + path, body, patience: patience)
    }

    /// The path of the first element that matches.
    private func element(_ selector: String) async throws -> String {
        try await wait(for: selector, timeout: .seconds(10))
        let found = try await script("return document.querySelector(arguments[0])", [.string(selector)])
        return try Self.path(of: found, selector)
    }

    private static func path(of found: WebValue, _ words: String) throws -> String {
        // The key that marks an element: W3C WebDriver, section 12.
        guard let id = found["element-6066-11e4-a52e-4f735466cecf"].string else {
            throw BrowserError(code: "no such element", message: words)
        }
        return "/element/\(id)"
    }
}
