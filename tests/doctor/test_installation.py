from affectkit.doctor import Check, report, verdict


def test_the_report_has_each_package_once_and_advice_for_missing_ones():
    checks = report()
    names = [check.name for check in checks]
    assert len(names) == len(set(names))
    assert {"python", "av", "torch", "dlib-bin", "streamlit", "jupyterlab", "devices"} <= set(names)
    assert {"browser", "H.264 encoder", "dlib landmark predictor", "face-alignment weights"} <= set(
        names
    )
    assert all(check.found if check.ok else check.advice for check in checks)
    assert all(check.purpose for check in checks)


def test_the_last_line_says_whether_all_is_well():
    found = Check("python", "everything", "3.12", True, "")
    torch = Check("torch", "training", "", False, "pip install 'affectkit[train]'")
    browser = Check("browser", "the dashboard", "", False, "install one", needed=False)
    assert verdict([found]) == "all is well"
    assert verdict([found, browser]) == "all is well; optional and not found: browser"
    assert verdict([found, torch, browser]).startswith("missing: torch; ")
