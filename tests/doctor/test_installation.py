from affectkit.doctor import report


def test_the_report_has_each_package_once_and_advice_for_missing_ones():
    checks = report()
    names = [check.name for check in checks]
    assert len(names) == len(set(names))
    assert {"python", "av", "torch", "dlib-bin", "streamlit", "jupyterlab", "devices"} <= set(names)
    assert {"browser", "H.264 encoder", "dlib landmark predictor", "face-alignment weights"} <= set(
        names
    )
    assert all(check.found if check.ok else check.advice for check in checks)
