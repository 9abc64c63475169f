from affectkit.doctor import report


def test_the_report_names_every_package_once_and_what_to_do():
    checks = report()
    names = [check.name for check in checks]
    assert len(names) == len(set(names))
    assert {"python", "av", "torch", "dlib-bin", "streamlit", "jupyterlab", "devices"} <= set(names)
    assert {"browser", "H.264 encoder", "dlib's 68 points", "face-alignment's weights"} <= set(
        names
    )
    assert all(check.found if check.ok else check.advice for check in checks)
